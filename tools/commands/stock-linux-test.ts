// `vmsg stock-linux-test`: Debian's unmodified Linux drives the devices, and its own tools judge them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildInitramfs, startGuest, type GuestEnd } from '../guest/guest.js';
import { newerQemu } from '../guest/newer-qemu.js';
import { packaged, progress } from '../emulator/scene.js';
import { DeviceProcess } from '../stock-linux/device-process.js';
import { prepare, userError, type Prepared } from '../stock-linux/prepare.js';
import { boots, seed, slotOf, type Boot, type Row, type Variant } from '../stock-linux/rows.js';
import { UserError } from '../user-error.js';
import { qemuOptions } from '../host-process/vhost-user-runner.js';

export const help = `vmsg stock-linux-test [${boots.map(({ name }) => name).join(' | ')}]
  Boots Debian's Linux, unmodified, in QEMU without hardware help; its own virtio drivers drive the devices of the app guest over
  vhost-user: the minified bundle in the engine of a coprocessor, one process for each device. Prints one row for each check.
  Kernel, busybox and the source of the drivers that Debian leaves out (gpio-virtio, i2c-virtio: 139 MB) are fetched by apt-get
  download into build/cache/debian; nothing is installed. Where the machine's QEMU is older than 9.1, that of the backports to its Debian
  (14 MB) is fetched for ${boots.flatMap(({ name, newer }) => (newer === undefined ? [] : [name])).join(', ')}.
  Without a name every guest runs. Exit status: 0 = nothing failed, 1 = something did, or the guests could not be prepared. What
  could not run is counted as not run, with the reason.`;

/** A row's end. */
export type Verdict = 'passed' | 'failed' | 'not run';

export interface Judged {
  readonly verdict: Verdict;
  readonly detail: string;
}

/** The guard against a hang: seconds without a row. A row takes a few on an idle machine. */
const quietSeconds = 240;
const guestMebibytes = 384;

/** The guest's script: the functions, then one line for each row that has a command. */
export function scriptOf(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ command }, index) => (command === undefined ? [] : [`row ${index} ${command}`]));
  return `${readFileSync(packaged('tools', 'stock-linux', 'checks.sh'), 'utf8')}\n${lines.join('\n')}\n`;
}

/** What a line of the guest says about a row; undefined for other lines. */
export function judgeLine(line: string, rows: readonly Row[]): (Judged & { readonly index: number }) | undefined {
  const [, number, verdict, detail] = /^@row (\d+) (passed|failed|not run) ?(.*)$/.exec(line) ?? [];
  const index = Number(number);
  const row = rows[index];
  if (row === undefined || verdict === undefined || detail === undefined) {
    return undefined;
  }
  if (verdict === 'passed' && row.judge !== undefined) {
    try {
      return { index, verdict, detail: row.judge(detail) };
    } catch (error) {
      return { index, verdict: 'failed', detail: (error as Error).message };
    }
  }
  return { index, verdict: verdict as Verdict, detail };
}

/** Prints rows and counts them. */
class Table {
  readonly counts: Record<Verdict, number> = { passed: 0, failed: 0, 'not run': 0 };

  constructor(private readonly deviceWidth: number, private readonly whatWidth: number) {}

  add({ device, what }: Row, { verdict, detail }: Judged): void {
    this.counts[verdict]++;
    progress('');
    process.stdout.write(`  ${device.padEnd(this.deviceWidth)}  ${what.padEnd(this.whatWidth)}  ${verdict.padEnd(7)}  ${detail}`.trimEnd() + '\n');
  }
}

function qemuDevices(variants: readonly Variant[], socketOf: (name: string) => string): string[] {
  return variants.flatMap(({ name, device, properties }, index) => qemuOptions(device, socketOf(name), name, [`addr=0x${slotOf(index)}`, ...properties]));
}

const accountOf = (device: string): Row => ({ device, what: 'device side while serving' });

/** What a hang leaves behind, for the developer. */
function hangReport(end: GuestEnd, processes: ReadonlyMap<string, DeviceProcess>): string[] {
  return [
    `QEMU ended with status ${end.status}${end.words === '' ? '' : ` and said:\n  ${end.words.replaceAll('\n', '\n  ')}`}`,
    'the guest\'s last lines:',
    ...end.lines.slice(-5).map((line) => `  ${line}`),
    'the last messages of its kernel:',
    ...end.kernelLines.filter((line) => line !== '').slice(-12).map((line) => `  ${line}`),
    ...[...processes].flatMap(([name, process]) => [`device process ${name}:`, ...process.state().map((line) => `  ${line}`)]),
  ];
}

/** Files of the modules that a guest needs besides the kernel's own, or why they cannot be had. */
async function modulesFor({ ownModule }: Boot, { built }: Prepared): Promise<string[] | UserError> {
  if (ownModule === undefined) {
    return [];
  }
  const modules = await built;
  return modules instanceof UserError ? modules : [modules.get(ownModule) as string];
}

/** QEMU's program for a guest, or why there is none. */
async function emulatorFor({ newer }: Boot, { kernel: { architecture } }: Prepared): Promise<string | UserError> {
  return newer === undefined ? architecture.emulator : newerQemu(newer, architecture, progress).catch(userError);
}

/** Runs one guest and adds its rows to the table. */
async function runBoot(boot: Boot, prepared: Prepared, table: Table): Promise<void> {
  const all = [...boot.variants.flatMap((variant) => variant.rows), ...boot.missing];
  const rows = all.filter(({ notRun }) => notRun === undefined);
  const judged = new Array<boolean>(rows.length).fill(false);
  const socketOf = (name: string): string => path.join(prepared.folder, name);
  const processes = new Map(boot.variants.map(({ name, device, without }) =>
    [name, new DeviceProcess({ runner: prepared.runner, bundle: prepared.bundle, device, socket: socketOf(name), seed, ...(without === undefined ? {} : { without }) })] as const));
  let failure: string | undefined;
  let end: GuestEnd | undefined;
  const ownModules = await modulesFor(boot, prepared);
  const emulator = await emulatorFor(boot, prepared);
  if (ownModules instanceof UserError || emulator instanceof UserError) {
    const reason = (ownModules instanceof UserError ? ownModules : (emulator as UserError)).message;
    all.forEach((row) => table.add(row, { verdict: 'not run', detail: row.notRun ?? reason }));
    return;
  }
  try {
    await Promise.all([...processes.values()].map((process) => process.start()));
    const initramfs = await buildInitramfs(
      { kernel: prepared.kernel, modules: boot.modules, ownModules, script: scriptOf(rows), programs: prepared.programs, outFile: path.join(prepared.folder, `${boot.name}.initramfs`) },
      progress,
    );
    progress(`booting Linux ${prepared.kernel.version} for ${boot.name}`);
    const fulfil = async (wish: string, name: string): Promise<void> => {
      if (wish === 'restart') {
        await processes.get(name)?.restart();
      } else {
        // Every ring is stopped and started again where it was.
        await guest.command('stop');
        await guest.command('cont');
      }
    };
    const guest = startGuest({
      kernel: prepared.kernel,
      emulator,
      initramfs,
      kernelLog: path.join(prepared.folder, `${boot.name}.log`),
      monitor: path.join(prepared.folder, `${boot.name}.monitor`),
      mebibytes: guestMebibytes,
      processors: boot.processors,
      devices: qemuDevices(boot.variants, socketOf),
      quietSeconds,
      onLine: (line) => {
        const result = judgeLine(line, rows);
        if (result !== undefined) {
          judged[result.index] = true;
          table.add(rows[result.index] as Row, result);
        }
        const [, wish, name] = /^@host (restart|pause) ?(\w*)$/.exec(line) ?? [];
        if (wish !== undefined) {
          fulfil(wish, name ?? '').then(() => guest.send('done'), (error: Error) => {
            failure = error.message;
            guest.stop();
          });
        }
      },
    });
    end = await guest.ended;
  } catch (error) {
    if (error instanceof UserError) {
      throw error;
    }
    failure = (error as Error).message;
  } finally {
    await Promise.all([...processes.values()].map((process) => process.end('SIGTERM')));
  }
  if (end?.hang !== undefined) {
    failure = `no row for ${quietSeconds} s, see below`;
  } else if (failure === undefined && judged.includes(false)) {
    failure = 'the guest ended before it, see below';
  }
  // The first row without an end is the one that did not come to it; what follows has not been tried.
  let verdict: Verdict = 'failed';
  rows.forEach((row, index) => {
    if (judged[index] !== true) {
      table.add(row, { verdict, detail: verdict === 'failed' ? (failure ?? '') : 'see the failure above' });
      verdict = 'not run';
    }
  });
  boot.variants.forEach(({ name, rows: own }) => {
    const row = accountOf(own[0]?.device ?? name);
    try {
      table.add(row, { verdict: 'passed', detail: (processes.get(name) as DeviceProcess).account() });
    } catch (error) {
      table.add(row, { verdict: failure === undefined ? 'failed' : 'not run', detail: (error as Error).message });
    }
  });
  all.forEach((row) => {
    if (row.notRun !== undefined) {
      table.add(row, { verdict: 'not run', detail: row.notRun });
    }
  });
  if (end !== undefined && failure !== undefined) {
    process.stdout.write(`\n${hangReport(end, processes).join('\n')}\n\n`);
  }
}

/** Runs the command; returns the exit status. */
export async function stockLinuxTest(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const unknown = positionals.find((name) => !boots.some((boot) => boot.name === name));
  if (unknown !== undefined) {
    throw new UserError(`There is no guest '${unknown}'; guests: ${boots.map(({ name }) => name).join(', ')}.`);
  }
  const chosen = boots.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const all = chosen.flatMap(({ variants, missing }) => [...variants.flatMap(({ rows }) => rows), ...missing]);
  const table = new Table(Math.max(...all.map(({ device }) => device.length)), Math.max(...all.map(({ what }) => what.length), accountOf('').what.length));
  mkdirSync(path.resolve('build'), { recursive: true });
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-stock-linux-'));
  try {
    const prepared = await prepare(folder, chosen.some(({ ownModule }) => ownModule !== undefined)).catch(userError);
    if (prepared instanceof UserError) {
      progress('');
      process.stdout.write(`not run: ${prepared.message}\n`);
      return 1;
    }
    progress('');
    process.stdout.write(`Linux ${prepared.kernel.version}, unmodified, with devices over vhost-user\n`);
    for (const boot of chosen) {
      await runBoot(boot, prepared, table);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const { passed, failed, 'not run': notRun } = table.counts;
  process.stdout.write(`\n${passed} passed, ${failed} failed, ${notRun} not run\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}
