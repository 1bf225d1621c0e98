// Reads a recorded trace: the published layout header and every 64-byte element with its direction.
import { readFileSync } from 'node:fs';

export interface TraceElement {
  readonly direction: 'send' | 'receive';
  /** Line of the heading, for messages. */
  readonly line: number;
  /** 64 bytes; behind msg_size a sent element holds leftovers. */
  readonly bytes: readonly number[];
}

export interface Trace {
  /** Bytes of the layout the recording device published. */
  readonly layout: readonly number[];
  /** `send` is driver to device. */
  readonly elements: readonly TraceElement[];
}

/** Parses the trace file at `url`; throws an Error with the line that cannot be read. */
export function readTrace(url: URL): Trace {
  const layout: number[] = [];
  const elements: TraceElement[] = [];
  let bytes: number[] | undefined;
  readFileSync(url, 'utf8')
    .split('\n')
    .forEach((line, at) => {
      const heading = /^(DRV>DEV|DEV>DRV) /.exec(line);
      const row = /^ {2}([0-9a-f]{4})((?: {1,2}[0-9a-f]{2}){1,16})$/.exec(line);
      if (heading !== null) {
        bytes = [];
        elements.push({ direction: heading[1] === 'DRV>DEV' ? 'send' : 'receive', line: at + 1, bytes });
      } else if (line.startsWith('# layout')) {
        bytes = layout;
      } else if (row !== null && bytes !== undefined && parseInt(row[1] ?? '', 16) === bytes.length) {
        bytes.push(...(row[2] ?? '').trim().split(/ +/).map((digits) => parseInt(digits, 16)));
      } else if (line !== '' && !line.startsWith('#')) {
        throw new Error('line ' + (at + 1) + ' is neither a heading nor a row of the element above it: ' + line);
      }
    });
  const short = elements.find((element) => element.bytes.length !== 64);
  if (short !== undefined) {
    throw new Error('the element at line ' + short.line + ' has ' + short.bytes.length + ' bytes, not 64');
  }
  return { layout, elements };
}
