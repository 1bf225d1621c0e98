// What an engine adds to the build of an image: the door between tools/image/image.ts and the engines.
import path from 'node:path';
import type { Board } from '../image/board.js';
import { hashOf, writeWhole } from '../image/build-files.js';
import { packageRoot } from '../targets.js';

/** A source and its flags. */
export interface Source {
  readonly file: string;
  readonly flags: readonly string[];
}

/** A bundle that is linked into an image under a symbol; `name` stands in messages. */
export interface LinkedBundle {
  readonly symbol: string;
  readonly text: string;
  readonly name: string;
}

/** An engine that is ready to be compiled and linked for one board. */
export interface PreparedEngine {
  /** C of the engine's own, compiled with its own warnings: a file and its flags; none when a library is linked. */
  readonly source?: Source;
  /** The glue, relative to platforms/. */
  readonly glue: string;
  /** Folders with headers that the glue includes. */
  readonly includes: readonly string[];
  /** Flags for the glue. */
  readonly flags: readonly string[];
  /** What the linker gets behind the objects. */
  readonly link: readonly string[];
  /** What is compiled so that an image holds its bundles, in the form that the engine runs. */
  readonly bundles: (bundles: readonly LinkedBundle[]) => Promise<readonly Source[]>;
}

/** What an engine is told about the image it is for. */
export interface EngineRequest {
  /** Folder for what is made once and kept. */
  readonly cache: string;
  readonly board: Board;
  /** True: the bundles are linked as text, or read as text when the program starts. */
  readonly asText: boolean;
  readonly log: (line: string) => void;
}

/** A bundle that the image holds byte for byte. */
export function asItIs({ symbol }: LinkedBundle, content: Buffer | string, cache: string): Source {
  const file = path.join(cache, `bundle-${hashOf([content.toString('latin1')])}`);
  writeWhole(file, content);
  return { file: path.join(packageRoot, 'platforms/engine/bundle.S'), flags: [`-DBUNDLE_SYMBOL=${symbol}`, `-DBUNDLE_FILE="${file}"`] };
}
