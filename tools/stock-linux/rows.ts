// What is checked inside the guest: which devices in which variants, and one row of the table for each check.

import type { OfferedDevice } from '../host-process/vhost-user-runner.js';

/** One row. */
export interface Row {
  readonly device: string;
  readonly what: string;
  /** A function of checks.sh with its words; absent for what cannot run anywhere. */
  readonly command?: string;
  /** Looks at the detail that the guest reported; returns the detail to show, or throws an Error that says what is wrong. */
  readonly judge?: (detail: string) => string;
  /** Why it cannot run. */
  readonly notRun?: string;
}

/** A device in one variant, behind a process of its own. */
export interface Variant {
  readonly name: string;
  /** A device of firmware/apps/guest.ts, with the queues that QEMU is to use. */
  readonly device: OfferedDevice;
  /** Properties of QEMU's device, and feature bits that our own does not offer, for a QEMU whose device has no such properties. */
  readonly properties: readonly string[];
  readonly without?: readonly number[];
  readonly rows: readonly Row[];
}

/** One guest: all its devices are there at once, and are checked one after the other. */
export interface Boot {
  readonly name: string;
  readonly modules: readonly string[];
  /** One of `builtSources`, loaded behind them. */
  readonly ownModule?: string;
  readonly processors: number;
  /** A QEMU of this version or later is fetched where the machine's own is none; without one the guest is not run. */
  readonly newer?: readonly [major: number, minor: number];
  readonly variants: readonly Variant[];
  /** Rows that cannot run. */
  readonly missing: readonly Row[];
}

/** Modules that Debian's configuration leaves out, by their places in the kernel's source tree. */
export const builtSources: readonly string[] = ['drivers/gpio/gpio-virtio.c', 'drivers/i2c/busses/i2c-virtio.c'];

/** Seed of every device process's generator. */
export const seed = 7;

/** PCI slots from 3 on, in the order of the variants. */
export function slotOf(index: number): string {
  return (index + 3).toString(16).padStart(2, '0');
}

/** The generator behind `--seed`: xorshift32, the highest byte of each state (platforms/README.md, `seeded`). */
export function seededBytes(from: number, bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  let state = from;
  for (let at = 0; at < bytes; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    made[at] = state >>> 24;
  }
  return made;
}

/** How much of the stream the guest may have taken before and between the bytes that are judged: its reader goes on at some 600 KiB a second while the host is slow to pause it. */
const mostSeededBytes = 2 ** 25;
/** Blocks in which the guest's bytes are looked for: the kernel may take what lies between two of them. */
const blockBytes = 16;

/** Judges the hexadecimal bytes that the guest read: all must stand in the generator's stream, in its order. */
export function judgeSeeded(stream: () => Buffer): (detail: string) => string {
  return (detail) => {
    const read = Buffer.from(detail, 'hex');
    if (read.length === 0 || read.length % blockBytes !== 0 || read.length * 2 !== detail.length) {
      throw new Error(`not a number of whole blocks: ${detail.slice(0, 120)}`);
    }
    let at = 0;
    for (let block = 0; block < read.length; block += blockBytes) {
      const found = stream().indexOf(read.subarray(block, block + blockBytes), at);
      if (found < 0) {
        throw new Error(`bytes ${block} to ${block + blockBytes - 1} are not of the generator's stream behind byte ${at}`);
      }
      at = found + blockBytes;
    }
    return `${read.length} bytes of the seeded stream, up to its byte ${at}`;
  };
}

let stream: Buffer | undefined;
const seededStream = (): Buffer => (stream ??= seededBytes(seed, mostSeededBytes));
const judgeBytes = judgeSeeded(seededStream);

/** Feature bits (virtio 1.3): what each variant must and must not negotiate besides VERSION_1. */
interface RingVariant {
  readonly name: string;
  readonly properties: readonly string[];
  readonly without: readonly number[];
  readonly bits: string;
}

const split: RingVariant = { name: 'split', properties: [], without: [34], bits: '+32 +28 +29 -34' };
const packed: RingVariant = { name: 'packed', properties: ['packed=on'], without: [], bits: '+32 +28 +29 +34' };
const noIndirect: RingVariant = { name: 'split, no indirect', properties: ['indirect_desc=off'], without: [28, 34], bits: '+32 -28 +29 -34' };
const noEventIndex: RingVariant = { name: 'split, no event index', properties: ['event_idx=off'], without: [29, 34], bits: '+32 +28 -29 -34' };
const packedPlain: RingVariant = { name: 'packed, neither', properties: ['packed=on', 'indirect_desc=off', 'event_idx=off'], without: [28, 29], bits: '+32 -28 -29 +34' };

const packedRestart = 'QEMU keeps what is in flight only for disks: it starts such a packed ring at its beginning when its process was lost, and the driver waits';

function entropyVariant(ring: RingVariant, index: number, thorough: boolean): Variant {
  const device = `rng ${ring.name}`;
  const slot = slotOf(index);
  const row = (what: string, command: string, judge?: Row['judge']): Row => ({ device, what, command, ...(judge === undefined ? {} : { judge }) });
  return {
    name: `rng${index}`,
    device: { number: 1, deviceId: 4, queues: 1, queueSize: 64 },
    properties: ring.properties,
    rows: [
      row('driver bound, status 0x0f', `bound ${slot} virtio_rng`),
      row('features', `features ${slot} ${ring.bits}`),
      row('bytes of the generator', `rng_bytes ${index} 16`, judgeBytes),
      ...(thorough
        ? [
            row('machine paused while reading', `rng_pause ${index}`, judgeBytes),
            row('unbind and bind while reading', `rng_rebind ${index} ${slot}`, judgeBytes),
            ring === split
              ? row('process killed, started anew', `rng_restart ${index} rng${index}`, judgeBytes)
              : { device, what: 'process killed, started anew', notRun: packedRestart },
          ]
        : []),
    ],
  };
}

/** What a disk of firmware/apps/guest.ts is. */
interface Disk extends OfferedDevice {
  readonly sectors: number;
  readonly id: string;
}

const plainDisk: Disk = { number: 2, deviceId: 2, sectors: 32768, id: 'guest-disk', queues: 1, queueSize: 128 };
const twoQueues: Disk = { number: 3, deviceId: 2, sectors: 32768, id: 'guest-disk-2-queues', queues: 2, queueSize: 128 };
const smallQueue: Disk = { number: 5, deviceId: 2, sectors: 16384, id: 'guest-disk-16', queues: 1, queueSize: 16 };
const slowDisk: Disk = { number: 4, deviceId: 2, sectors: 16384, id: 'guest-disk-slow', queues: 1, queueSize: 128 };

function diskVariant(name: string, disk: Disk, ring: RingVariant, index: number, thorough: boolean): Variant {
  const device = `blk ${name}`;
  const slot = slotOf(index);
  const row = (what: string, command: string): Row => ({ device, what, command });
  return {
    name: `blk${index}`,
    device: disk,
    properties: ring.properties,
    rows: [
      row('driver bound, status 0x0f', `bound ${slot} virtio_blk`),
      row('features', `features ${slot} ${ring.bits} +9 +13 +14 ${disk.queues > 1 ? '+12' : '-12'}`),
      row('size, identity, queues', `identity ${slot} ${disk.sectors} ${disk.id} ${disk.queues}`),
      row('random transfers, read back', `random_transfers ${slot} ${index + 1} 60`),
      row('flush', `flushes ${slot}`),
      row('discard', `ranges ${slot} discard 12`),
      row('write zeroes', `ranges ${slot} zero 0`),
      ...(thorough
        ? [
            row('file system', `file_system ${slot}`),
            row('64 MiB moved', `move ${slot} 32`),
            row('machine paused under traffic', `disk_pause ${slot}`),
            row('unbind and bind under traffic', `disk_rebind ${slot}`),
            row('process killed, started anew', `disk_restart ${slot} blk${index}`),
          ]
        : []),
    ],
  };
}

function networkVariant(ring: RingVariant, index: number, thorough: boolean): Variant {
  const device = `net ${ring.name}`;
  const slot = slotOf(index);
  const row = (what: string, command: string): Row => ({ device, what, command });
  return {
    name: `net${index}`,
    device: { number: 6, deviceId: 1, queues: 2, queueSize: 256 },
    properties: ring.properties,
    rows: [
      row('driver bound, status 0x0f', `bound ${slot} virtio_net`),
      row('features', `features ${slot} ${ring.bits} +5 +15`),
      row('ping', `ping_pair ${slot} ${index}`),
      row('transfer by TCP', `net_transfer ${index} ${thorough ? 16 : 1}`),
      ...(thorough
        ? [
            row('machine paused', `net_pause ${slot} ${index}`),
            row('unbind and bind under traffic', `net_rebind ${slot} ${index}`),
            ring === split
              ? row('process killed, started anew', `net_restart ${slot} ${index} net${index}`)
              : { device, what: 'process killed, started anew', notRun: packedRestart },
          ]
        : []),
    ],
  };
}

const newerRestart = 'QEMU 10.0 ends itself when the process of such a device connects again: "vhost_dev_start: Assertion `hdev->vhost_ops\' failed"';
const gpioUnbind = 'gpio-virtio of Linux 6.1 waits for ever for a request that was under way, and its gpiolib faults when lines are still held';

/** `old`: QEMU 7.2, which does not offer a driver the feature IRQ, and gives it a packed ring and the device none: its SET_FEATURES lacks bit 34. */
function gpioVariant(ring: RingVariant, index: number, thorough: boolean, old: boolean): Variant {
  const device = `gpio ${ring.name}${old ? '' : ', interrupts'}`;
  const slot = slotOf(index);
  const row = (what: string, command: string): Row => ({ device, what, command });
  return {
    name: `gpio${index}`,
    device: { number: 7, deviceId: 41, queues: 2, queueSize: 256 },
    properties: ring.properties,
    without: ring.without,
    rows: [
      row('driver bound, status 0x0f', `bound ${slot} gpio_virtio`),
      row('features', `features ${slot} ${ring.bits} ${old ? '-0' : '+0'}`),
      row('lines and their names', `gpio_names ${slot} 8 led button`),
      row('direction and values', `gpio_values ${slot} 2 3 50`),
      ...(old ? [] : [row('edge interrupts', `gpio_edges ${slot} 0 1 20`)]),
      ...(thorough
        ? [
            row('machine paused under traffic', `gpio_pause ${slot}`),
            row('unbind and bind', `gpio_rebind ${slot}`),
            { device, what: 'unbind and bind under traffic', notRun: gpioUnbind },
            ...(old ? [row('process killed, started anew', `gpio_restart ${slot} gpio${index}`)] : []),
          ]
        : []),
    ],
  };
}

/** A guest of its own for each: gpio-virtio of Linux 6.1 has one interrupt chip for all its devices, and faults at an edge of the second one. */
function interruptBoot(ring: RingVariant, index: number): Boot {
  const thorough = index < 2;
  return {
    name: `gpio-irq-${index + 1}`,
    modules: ['virtio_pci'],
    ownModule: 'gpio-virtio',
    processors: 1,
    newer: [9, 1],
    variants: [gpioVariant(ring, 0, thorough, false)],
    missing: thorough ? [{ device: `gpio ${ring.name}, interrupts`, what: 'process killed, started anew', notRun: newerRestart }] : [],
  };
}

function i2cVariant(ring: RingVariant, index: number, thorough: boolean): Variant {
  const device = `i2c ${ring.name}`;
  const slot = slotOf(index);
  const row = (what: string, command: string): Row => ({ device, what, command });
  return {
    name: `i2c${index}`,
    device: { number: 8, deviceId: 34, queues: 1, queueSize: 64 },
    properties: ring.properties,
    rows: [
      row('driver bound, status 0x0f', `bound ${slot} i2c_virtio`),
      row('features', `features ${slot} ${ring.bits} +0`),
      row('registers of a sensor', `i2c_sensor ${slot}`),
      row('memory, several messages', `i2c_memory ${slot} ${index + 1} 60`),
      ...(thorough
        ? [
            row('the kernel\'s lm75', `i2c_lm75 ${slot}`),
            row('the kernel\'s at24', `i2c_at24 ${slot}`),
            row('machine paused under traffic', `i2c_pause ${slot}`),
            row('unbind and bind under traffic', `i2c_rebind ${slot}`),
            ring === split
              ? row('process killed, started anew', `i2c_restart ${slot} i2c${index}`)
              : { device, what: 'process killed, started anew', notRun: packedRestart },
          ]
        : []),
    ],
  };
}

function inputVariant(ring: RingVariant, index: number, thorough: boolean): Variant {
  const device = `input ${ring.name}`;
  const slot = slotOf(index);
  const row = (what: string, command: string): Row => ({ device, what, command });
  return {
    name: `input${index}`,
    device: { number: 9, deviceId: 18, queues: 2, queueSize: 64 },
    properties: ring.properties,
    without: ring.without,
    rows: [
      row('driver bound, status 0x0f', `bound ${slot} virtio_input`),
      row('features', `features ${slot} ${ring.bits}`),
      row('name, identity, abilities', `input_identity ${slot}`),
      row('keys and movements in order', `input_events ${slot} 50`),
      row('a lamp answered by a key', `input_lamp ${slot} 10`),
      ...(thorough
        ? [
            row('machine paused while reading', `input_pause ${slot}`),
            row('unbind and bind while reading', `input_rebind ${slot}`),
            { device, what: 'process killed, started anew', notRun: newerRestart },
          ]
        : []),
    ],
  };
}

const inOrder = (device: string): Row => ({ device, what: 'in-order ring', notRun: 'the virtio_ring of Debian\'s Linux 6.1 has no IN_ORDER (feature 35)' });

/** The guests, in the order in which they run. */
export const boots: readonly Boot[] = [
  {
    name: 'rng',
    modules: ['virtio_pci', 'virtio-rng'],
    processors: 1,
    variants: [
      ...[split, packed].map((ring, index) => entropyVariant(ring, index, true)),
      ...[noIndirect, noEventIndex, packedPlain].map((ring, index) => entropyVariant(ring, index + 2, false)),
    ],
    missing: [inOrder('rng')],
  },
  {
    name: 'blk',
    modules: ['virtio_pci', 'virtio_blk', 'ext4', 'crc32c_generic'],
    processors: 2,
    variants: [
      diskVariant('split', plainDisk, split, 0, true),
      diskVariant('packed', plainDisk, packed, 1, true),
      diskVariant('split, no indirect', plainDisk, noIndirect, 2, false),
      diskVariant('split, no event index', plainDisk, noEventIndex, 3, false),
      diskVariant('packed, neither', plainDisk, packedPlain, 4, false),
      diskVariant('split, 16 entries', smallQueue, split, 5, false),
      diskVariant('split, 256 entries', { ...plainDisk, queueSize: 256 }, split, 6, false),
      diskVariant('split, 2 queues', twoQueues, split, 7, false),
      diskVariant('packed, 2 queues', twoQueues, packed, 8, false),
      diskVariant('split, out of order', slowDisk, split, 9, true),
      diskVariant('packed, out of order', slowDisk, packed, 10, true),
    ],
    missing: [inOrder('blk')],
  },
  {
    name: 'net',
    modules: ['virtio_pci', 'virtio_net', 'macvlan'],
    processors: 1,
    variants: [
      ...[split, packed].map((ring, index) => networkVariant(ring, index, true)),
      ...[noIndirect, noEventIndex, packedPlain].map((ring, index) => networkVariant(ring, index + 2, false)),
    ],
    missing: [inOrder('net')],
  },
  {
    name: 'gpio',
    modules: ['virtio_pci'],
    ownModule: 'gpio-virtio',
    processors: 1,
    variants: [
      gpioVariant(split, 0, true, true),
      ...[noIndirect, noEventIndex].map((ring, index) => gpioVariant(ring, index + 1, false, true)),
    ],
    missing: [inOrder('gpio')],
  },
  ...[split, packed, noIndirect, noEventIndex, packedPlain].map((ring, index) => interruptBoot(ring, index)),
  {
    // QEMU 7.2 refuses it without KVM: "vhost initialization failed: requires kvm".
    name: 'input',
    modules: ['virtio_pci', 'virtio_input', 'evdev'],
    processors: 1,
    newer: [9, 1],
    variants: [
      ...[split, packed].map((ring, index) => inputVariant(ring, index, true)),
      ...[noIndirect, noEventIndex, packedPlain].map((ring, index) => inputVariant(ring, index + 2, false)),
    ],
    missing: [inOrder('input')],
  },
  {
    name: 'i2c',
    modules: ['virtio_pci', 'i2c-dev', 'lm75', 'at24'],
    ownModule: 'i2c-virtio',
    processors: 1,
    variants: [
      ...[split, packed].map((ring, index) => i2cVariant(ring, index, true)),
      ...[noIndirect, noEventIndex, packedPlain].map((ring, index) => i2cVariant(ring, index + 2, false)),
    ],
    missing: [inOrder('i2c')],
  },
];
