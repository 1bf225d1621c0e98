// What an engine adds to the build of an image: the door between tools/image/image.ts and the engines.
import type { Board } from '../image/board.js';

/** An engine that is ready to be compiled and linked for one board. */
export interface PreparedEngine {
  /** C of the engine's own, compiled with its own warnings: a file and its flags; none when a library is linked. */
  readonly source?: { readonly file: string; readonly flags: readonly string[] };
  /** The glue, relative to platforms/. */
  readonly glue: string;
  /** Folders with headers that the glue includes. */
  readonly includes: readonly string[];
  /** Flags for the glue. */
  readonly flags: readonly string[];
  /** What the linker gets behind the objects. */
  readonly link: readonly string[];
  /** A bundle's text in the form that the image holds; `name` stands in messages. */
  readonly compile: (text: string, name: string) => Promise<Buffer>;
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
