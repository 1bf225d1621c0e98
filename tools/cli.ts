// The subcommands of `vmsg`, and what the user sees when one of them fails.
import { UserError } from './user-error.js';

/** A subcommand, loaded only when it is asked for. */
interface Loaded {
  readonly help: string;
  /** Runs with the arguments behind the subcommand's name; returns the exit status. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

interface Subcommand {
  readonly summary: string;
  readonly load: () => Promise<Loaded>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  new: { summary: 'start a device or an app of one\'s own', load: async () => { const { help, newCommand } = await import('./commands/new.js'); return { help, run: newCommand }; } },
  build: { summary: 'build the firmware image of an app', load: async () => { const { help, build } = await import('./commands/build.js'); return { help, run: build }; } },
  bundle: { summary: 'bundle TypeScript to one ES5 function', load: async () => { const { help, bundleCommand } = await import('./commands/bundle.js'); return { help, run: bundleCommand }; } },
  'check-bundle': { summary: 'find what would allocate in hot code', load: async () => { const { help, checkBundle } = await import('./commands/check-bundle.js'); return { help, run: checkBundle }; } },
  snapshot: { summary: 'compile a bundle to a JerryScript snapshot', load: async () => { const { help, snapshot } = await import('./commands/snapshot.js'); return { help, run: snapshot }; } },
  flash: { summary: 'send an app to an Espruino board', load: async () => { const { help, flash } = await import('./commands/flash.js'); return { help, run: flash }; } },
  size: { summary: 'flash, RAM and heap of an image', load: async () => { const { help, size } = await import('./commands/size.js'); return { help, run: size }; } },
  support: { summary: 'what each target was seen to run on', load: async () => { const { help, support } = await import('./commands/support.js'); return { help, run: support }; } },
  sim: { summary: 'run a scene on the emulated SoC', load: async () => { const { help, sim } = await import('./commands/sim.js'); return { help, run: sim }; } },
  serve: { summary: 'serve devices from a Linux process over shared memory', load: async () => { const { help, serve } = await import('./commands/serve.js'); return { help, run: serve }; } },
  'vhost-user': { summary: 'serve devices to a virtual machine over vhost-user', load: async () => { const { help, vhostUser } = await import('./commands/vhost-user.js'); return { help, run: vhostUser }; } },
  'ivshmem-server': { summary: 'share memory and interrupts between virtual machines', load: async () => { const { help, ivshmemServer } = await import('./commands/ivshmem-server.js'); return { help, run: ivshmemServer }; } },
  'linux-test': { summary: 'boot Linux with virtio-msg and check the devices', load: async () => { const { help, linuxTest } = await import('./commands/linux-test.js'); return { help, run: linuxTest }; } },
  'renode-test': { summary: 'run the scenes on SoCs that Renode models', load: async () => { const { help, renodeTest } = await import('./commands/renode-test.js'); return { help, run: renodeTest }; } },
  bench: { summary: 'count instructions on the emulated core', load: async () => { const { help, bench } = await import('./commands/bench.js'); return { help, run: bench }; } },
  conformance: { summary: 'hold a device against every requirement', load: async () => { const { help, conformance } = await import('./commands/conformance.js'); return { help, run: conformance }; } },
  'stock-linux-test': { summary: 'have an unmodified Linux drive the devices', load: async () => { const { help, stockLinuxTest } = await import('./commands/stock-linux-test.js'); return { help, run: stockLinuxTest }; } },
  typecheck: { summary: 'type check for every target', load: async () => { const { help, typecheck } = await import('./bundle/typecheck.js'); return { help, run: typecheck }; } },
  'refresh-docs': { summary: 'renew the outputs that the documents show', load: async () => { const { help, refreshDocs } = await import('./commands/refresh-docs.js'); return { help, run: refreshDocs }; } },
  fuzz: { summary: 'fuzz the virtqueues against their model', load: async () => { const { help, fuzz } = await import('./commands/fuzz.js'); return { help, run: fuzz }; } },
  test: { summary: 'run every check and test', load: async () => { const { help, test } = await import('./commands/test.js'); return { help, run: test }; } },
};

function overview(): string {
  const width = Math.max(...Object.keys(subcommands).map((name) => name.length));
  return [
    'vmsg <command> [options]',
    ...Object.entries(subcommands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    'vmsg <command> --help tells more about one.',
    '',
  ].join('\n');
}

/** Runs the command; returns the exit status. Mistakes of the user become one sentence on stderr. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? process.stderr : process.stdout).write(overview());
    return name === undefined ? 2 : 0;
  }
  try {
    const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
    if (subcommand === undefined) {
      throw new UserError(`Unknown command '${name}'; known commands: ${Object.keys(subcommands).join(', ')}.`);
    }
    const { help, run } = await subcommand.load();
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(`${help}\n`);
      return 0;
    }
    return await run(rest);
  } catch (error) {
    const sentence = userSentence(error);
    if (sentence === undefined) {
      throw error;
    }
    process.stderr.write(`vmsg: ${sentence}\n`);
    return 1;
  }
}

/** The sentence for a mistake of the user; undefined for a defect of this program, which deserves its stack trace. */
function userSentence(error: unknown): string | undefined {
  if (error instanceof UserError) {
    return error.message;
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  // What node:util's parseArgs says about an unknown option or a missing value; its hints on escaping do not help here.
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS') ? String(message).replace(/\.\s.*$/s, '.').replace(/([^.])$/, '$1.') : undefined;
}
