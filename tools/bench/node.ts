// The rings in Node on this machine: requests a second with its JIT, each shape in a fresh process, and of another class.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { bundle } from '../bundle/bundle.js';
import { packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

/** Request shapes as the program busy-ring wants them: elements, then length and direction of each. */
const shapes = { r64: [1, 64, 0], blk: [3, 16, 0, 512, 0, 1, 1] } as const;

export interface NodeFigure {
  readonly shape: keyof typeof shapes;
  /** Millions of requests a second of this process's own time; queue 256, batch 32, nothing copied. */
  readonly millions: number;
  /** The same for the other class, where one was given. */
  readonly otherMillions: number | undefined;
}

/** The best of the slices a process printed. */
function best(args: readonly string[]): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(packageRoot, 'tools', 'bench', 'node-process.mjs'), ...args], { encoding: 'utf8' });
  const rates = stdout
    .split('\n')
    .map((line) => /^(\d+) (\d+)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [Number(match[1]) / Number(match[2])]));
  if (status !== 0 || rates.length === 0 || stdout.includes('!')) {
    const reason = /^! (.*)$/m.exec(stdout)?.[1] ?? /^\w*Error: .*$/m.exec(stderr)?.[0] ?? `status ${status}`;
    throw new UserError(`The benchmark in Node failed: ${reason.slice(0, 200)}.`);
  }
  return Math.max(...rates);
}

/** Measures all shapes in slices of `milliseconds`; `other` is the file of another virtio class (v86's src/virtio.js). */
export async function benchNode(other: string | undefined, milliseconds = 300): Promise<NodeFigure[]> {
  if (other !== undefined && !existsSync(other)) {
    throw new UserError(`${other} does not exist: --compare takes v86's src/virtio.js.`);
  }
  const outFile = path.resolve('build', 'node', 'busy-ring.js');
  await bundle({ target: 'host', entry: path.join(packageRoot, 'test', 'emulator', 'programs', 'busy-ring.ts'), role: 'driver', outFile, flatten: true, engine: 'node' });
  return (Object.keys(shapes) as NodeFigure['shape'][]).map((shape) => {
    const args = [outFile, JSON.stringify([milliseconds, ...shapes[shape]])];
    return { shape, millions: best(args), otherMillions: other === undefined ? undefined : best([...args, path.resolve(other)]) };
  });
}
