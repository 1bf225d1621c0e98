// Reads and writes the mappings of a source map (version 3): base-64 numbers of variable length, each relative to the last.

/** Column, source, line and column in the source, all from 0; a segment may have no source. */
export type Segment = readonly [column: number, source?: number, line?: number, sourceColumn?: number];

/** A source map as JSON has it. */
export interface SourceMapJson {
  readonly version: number;
  readonly sources: readonly (string | null)[];
  readonly names?: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
  readonly mappings: string;
  readonly [key: string]: unknown;
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Segments of each line; names are left out. */
export function decodeMappings(mappings: string): Segment[][] {
  const last = [0, 0, 0, 0, 0];
  return mappings.split(';').map((line) => {
    last[0] = 0;
    return line
      .split(',')
      .filter((text) => text !== '')
      .map((text): Segment => {
        let field = 0;
        let value = 0;
        let shift = 0;
        for (const digit of text) {
          const bits = digits.indexOf(digit);
          value |= (bits & 31) << shift;
          shift += 5;
          if ((bits & 32) === 0) {
            last[field] = (last[field] ?? 0) + (value & 1 ? -(value >> 1) : value >> 1);
            field += 1;
            value = 0;
            shift = 0;
          }
        }
        return field === 1 ? [last[0] ?? 0] : [last[0] ?? 0, last[1] ?? 0, last[2] ?? 0, last[3] ?? 0];
      });
  });
}

function encodeNumber(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const bits = rest & 31;
    rest >>= 5;
    text += digits[rest > 0 ? bits | 32 : bits];
  } while (rest > 0);
  return text;
}

/** The inverse of decodeMappings. */
export function encodeMappings(lines: readonly (readonly Segment[])[]): string {
  const last = [0, 0, 0, 0];
  return lines
    .map((line) => {
      last[0] = 0;
      return line
        .map((segment) =>
          segment
            .map((value, field) => {
              const difference = (value ?? 0) - (last[field] ?? 0);
              last[field] = value ?? 0;
              return encodeNumber(difference);
            })
            .join(''),
        )
        .join(',');
    })
    .join(';');
}
