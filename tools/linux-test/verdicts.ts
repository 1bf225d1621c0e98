// What `vmsg linux-test` checks, and what became of each check: from the lines of the guest, its kernel and the device side.

/** One line of the table. */
export interface Verdict {
  readonly what: string;
  readonly result: 'ok' | 'failed' | 'not run';
  readonly detail: string;
}

/** The guest's checks in their order; the names are those of the functions in guest.sh. */
export const checks: readonly (readonly [name: string, what: string])[] = [
  ['load', 'the modules load'],
  ['probe', 'every device is found, with its id'],
  ['status', 'every driver brings its device to status 0x0f'],
  ['hwrng', '/dev/hwrng returns the device\'s bytes'],
  ['block', 'the disk is formatted, written, read back'],
  ['console', 'the console echoes'],
  ['network', 'ping from one network device to the other'],
  ['gpio', 'a GPIO line reads what another one drives'],
  ['rebind', 'a driver is unbound and bound again'],
  ['reload', 'the module is removed and inserted again'],
  ['remove', 'a device is removed while the bus runs'],
  ['add', 'a device is added while the bus runs'],
  ['needs_reset', 'DEVICE_NEEDS_RESET arrives'],
];

/** The app's devices in the order of their numbers, as `device` in sysfs has their ids. */
export const deviceIds: readonly string[] = [4, 3, 3, 2, 1, 1, 41, 4].map((id) => `0x${id.toString(16).padStart(4, '0')}`);

/** The seed of the app's entropy device. */
export const entropySeed = 20_251_125;

/** How far into the device's stream the kernel may have read before. */
const streamBytes = 65536;

/** The seeded source of the app's entropy device: xorshift32, the highest byte of each state. */
export function entropyStream(bytes: number): Buffer {
  const stream = Buffer.alloc(bytes);
  let state = entropySeed;
  for (let at = 0; at < bytes; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    stream[at] = state >>> 24;
  }
  return stream;
}

export interface Heard {
  /** Lines of the guest's script and of its kernel. */
  readonly lines: readonly string[];
  readonly kernelLines: readonly string[];
  /** Lines of the device side, as `vmsg serve` prints them. */
  readonly deviceLines: readonly string[];
  /** The guest was ended because it said nothing any more. */
  readonly hung: boolean;
}

/** The driver of profile C takes an unbind for the device's end: the only way back is to announce the device anew. */
function unbindIsFinal({ kernelLines }: Heard): boolean {
  return kernelLines.some((line) => line.includes('device reset while unwinding vq'));
}

/** What a guest's line `check NAME RESULT DETAIL` says of a check. */
function verdictOf(name: string, heard: Heard): Pick<Verdict, 'result' | 'detail'> {
  const { lines, deviceLines } = heard;
  const start = `check ${name} `;
  const line = lines.find((one) => one.startsWith(start));
  if (line === undefined) {
    return lines.includes(`begin ${name}`) ? { result: 'failed', detail: 'the guest ended in it' } : { result: 'failed', detail: 'the guest did not come to it' };
  }
  const [result = '', ...words] = line.slice(start.length).trim().split(' ');
  const detail = words.join(' ');
  switch (result) {
    case 'ok':
      return name === 'reload' && !deviceLines.includes('bus 0: driver shut down')
        ? { result: 'failed', detail: 'the device side saw no driver that shuts down' }
        : { result: 'ok', detail };
    case 'none':
      return { result: 'not run', detail };
    case 'bytes': {
      const bytes = Buffer.from(detail, 'hex');
      return bytes.length === 32 && entropyStream(streamBytes).includes(bytes)
        ? { result: 'ok', detail: '32 bytes' }
        : { result: 'failed', detail: `'${detail}' is not in the device's stream` };
    }
    default:
      return name === 'rebind' && unbindIsFinal(heard) ? { result: 'not run', detail: 'this driver binds no device again that it has let go' } : { result: 'failed', detail };
  }
}

/** A kernel's line that a working device must not cause. */
const alarming = /\b(BUG|Oops|WARNING|Kernel panic|general protection|Call Trace)\b|(virtio|vmsg).*(Failed|(?<!verification )failed|Unexpected|Incompatible|[Ii]nvalid|Timed out|tx (error|rejected)|drop .*event|non-sleepable)/;

/** What the driver says while its module is removed: it sends nothing then, and reports each message that it did not send (EIO). */
const unloading = /Transfer request failed \(-5\)|Set status \d+ failed|Virtqueue reset failed/;

/** A used-buffer event that was under way when its device went. */
const tooLate = /Unexpected msg .*type\/id=00\/42|drop event: .*\(device stopped\)/;

/** What becomes of binding a device again whose unbind was its end. */
const bindingInVain = /virtio_blk virtio\d+: tx rejected|virtio_blk: probe of virtio\d+ failed with error -5/;

/** The table. */
export function verdicts(heard: Heard): Verdict[] {
  const handshake = heard.deviceLines.includes('bus 0: RUN');
  const harmless = (line: string): boolean => unloading.test(line) || tooLate.test(line) || (unbindIsFinal(heard) && bindingInVain.test(line));
  const alarms = heard.kernelLines.filter((line) => alarming.test(line) && !harmless(line)).map((line) => line.replace(/^\[ *[\d.]+\] /, ''));
  return [
    { what: 'layout found, handshake', result: handshake ? 'ok' : 'failed', detail: handshake ? '' : 'the device side saw no driver in state RUN' },
    ...checks.map(([name, what]) => ({ what, ...verdictOf(name, heard) })),
    {
      what: 'the kernel complains of nothing',
      result: alarms.length === 0 && !heard.hung ? 'ok' : 'failed',
      detail: heard.hung ? 'the guest said nothing for too long' : (alarms[0] ?? ''),
    },
  ];
}

/** The table as text. */
export function verdictText(table: readonly Verdict[]): string {
  const width = Math.max(...table.map(({ what }) => what.length));
  const count = (result: Verdict['result']): number => table.filter((one) => one.result === result).length;
  const rows = table.map(({ what, result, detail }) => `  ${what.padEnd(width)}  ${result.padEnd(7)}  ${detail}`.trimEnd());
  return [...rows, `${count('ok')} ok, ${count('failed')} failed, ${count('not run')} not run`, ''].join('\n');
}
