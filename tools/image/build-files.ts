// What the builders share: running a program, names made from content, files that appear only when they are complete.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';

/** How a program ended and what it printed on both its outputs. */
export interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** Runs a program to its end, in `folder` when given; rejects when it is not there. */
export function run(command: string, args: readonly string[], folder?: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(folder === undefined ? {} : { cwd: folder }) });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status: status ?? 1, output });
    });
  });
}

/** Sixteen hexadecimal digits that change with any of the parts. */
export function hashOf(parts: readonly string[]): string {
  const hash = createHash('sha256');
  parts.forEach((part) => hash.update(part).update('\0'));
  return hash.digest('hex').slice(0, 16);
}

let temporaries = 0;

/** A name of its own for a file that is not complete yet: several builds may run at once, in one process or in many. */
export function temporaryName(file: string): string {
  temporaries++;
  return `${file}.${process.pid}-${temporaries}`;
}

/** Writes a file under its final name only when it is complete. */
export function writeWhole(file: string, content: string | Buffer): void {
  const temporary = temporaryName(file);
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}
