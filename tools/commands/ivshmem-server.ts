// `vmsg ivshmem-server`: gives the peers of an ivshmem device shared memory and each other's interrupts.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { buildProgram } from '../host-process/runner.js';
import { UserError } from '../user-error.js';

export const help = `vmsg ivshmem-server --socket PATH --memory FILE [--bytes N] [--vectors N]
  Speaks the ivshmem server protocol, so that a virtual machine and 'vmsg serve --doorbell ivshmem:PATH' ring each other:
    qemu-system-x86_64 ... -chardev socket,path=PATH,id=peers -device ivshmem-doorbell,chardev=peers,vectors=1
  --socket PATH   where clients connect
  --memory FILE   the shared memory, made and grown as needed; the same FILE goes to 'vmsg serve --layout FILE:0x1000'
  --bytes N       its size, a power of two from 4096, K, M or G may follow; default 1M
  --vectors N     interrupt vectors of each peer, 1 to 16; default 1
  Prints 'listening on PATH', 'peer N connected', 'peer N left', and 'stopped' after SIGINT, SIGTERM or SIGHUP.
  Exit status: 0 = ended by a signal, 1 = a mistake, in one sentence on stderr.`;

/** Bytes of a size such as 64K or 1048576: a power of two from 4096 on. */
export function parseSize(text: string): number {
  const [, digits, unit] = /^(\d{1,12})([KMG]?)$/.exec(text) ?? [];
  const bytes = Number(digits) * 1024 ** ' KMG'.indexOf(unit === undefined || unit === '' ? ' ' : unit);
  if (digits === undefined || bytes < 4096 || !Number.isInteger(Math.log2(bytes))) {
    throw new UserError(`--bytes wants a power of two from 4096 on such as 1M, not '${text}'.`);
  }
  return bytes;
}

/** Compiles the server; returns its path. */
export function buildIvshmemServer(): Promise<string> {
  return buildProgram('vmsg-ivshmem-server', ['ivshmem-server.c', 'unix-socket.c']);
}

/** Runs the command; returns the exit status. */
export async function ivshmemServer(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { socket: { type: 'string' }, memory: { type: 'string' }, bytes: { type: 'string', default: '1M' }, vectors: { type: 'string', default: '1' } },
  });
  const { socket, memory, vectors } = values;
  if (socket === undefined || memory === undefined) {
    throw new UserError('ivshmem-server wants --socket PATH and --memory FILE.');
  }
  const bytes = parseSize(values.bytes);
  if (!/^\d+$/.test(vectors) || Number(vectors) < 1 || Number(vectors) > 16) {
    throw new UserError(`--vectors wants 1 to 16, not '${vectors}'.`);
  }
  const child = spawn(await buildIvshmemServer(), [socket, memory, String(bytes), vectors], { stdio: ['ignore', 'inherit', 'pipe'] });
  let words = '';
  child.stderr.on('data', (data: Buffer) => {
    words += data.toString();
  });
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  signals.forEach((signal) => process.on(signal, stop));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  signals.forEach((signal) => process.off(signal, stop));
  if (status !== 0) {
    throw new UserError(`${words.trim().replace(/^vmsg-ivshmem-server: /, '')}.`);
  }
  return 0;
}
