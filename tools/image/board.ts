// Reads a target's board.json: memory map, images, windows, registers, interrupts and how the target is compiled.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { checkTarget, packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

/** The two halves of a scene. */
export type Side = 'device' | 'driver';

/** A stretch of a core's memory. */
export interface Region {
  readonly address: number;
  readonly bytes: number;
}

/** One side's program. */
export interface BoardImage {
  readonly core: number;
  /** Absent: the side is linked into the other side's image (a single core) or the target is a process. */
  readonly flash?: Region;
  readonly ram?: Region;
  /** Cortex-R of ARMv7: where the vectors lie, 0 or ffff0000. */
  readonly vectors?: number;
  /** The core starts with all others and sleeps until this register is not 0. */
  readonly release?: number;
  /** Cortex-M: a memory of its own for the vector table and the first instructions; absent: they are at the start of `flash`. */
  readonly boot?: Region;
  /** Where the resource table lies so that Linux finds it when it attaches; absent: it is in `flash`. */
  readonly table?: Region;
  readonly stackBytes: number;
  readonly heapBytes: number;
}

/** A memory window: both sides reach it, or it is private to the device's core. */
export interface BoardWindow {
  readonly name: string;
  /** Where the cores see it; absent on the host, and for a private window that is a variable of the image. */
  readonly cpuAddress?: number;
  /** As the driver gives it to the device; '' = private to the device's core. */
  readonly driverAddress: string;
  /** The program gives it its memory. */
  readonly atRunTime?: boolean;
  /** The device's core caches it. */
  readonly cached?: boolean;
  readonly bytes: number;
}

/** How QEMU runs the target. */
export interface BoardQemu {
  readonly machine: string;
  /** The first version that has the machine, where it is newer than Debian 12's 7.2. */
  readonly since?: string;
  /** Another processor than the machine's own. */
  readonly cpu?: string;
  /** Processors, when the machine does not say. */
  readonly cores?: number;
  /** MiB of main memory, when the machine's own number does not do. */
  readonly memory?: number;
}

/** The core that runs the driver's side of an emulated scene where it is of another kind than the device's: what of the board is different for it. */
export interface DriverCore {
  readonly cpu: string;
  readonly compiler: Board['compiler'];
  readonly sources: readonly string[];
  readonly image: BoardImage;
  readonly registers: Board['registers'];
  readonly interrupts: Board['interrupts'];
  readonly uart: number;
  /** Without an address the core's own timer. */
  readonly timer: { readonly address?: number; readonly hertz: number; readonly alarm?: number };
  readonly gic?: Board['gic'];
  /** Where this core sees the RAM of the device's core, if elsewhere. */
  readonly deviceRam?: number;
}

/** A target's board.json with every address as a number. */
export interface Board {
  readonly name: string;
  readonly description: string;
  readonly cpu: string;
  /** Absent where QEMU does not run the target. */
  readonly qemu?: BoardQemu;
  /** The scene in renode/ that runs the target. */
  readonly renode?: string;
  readonly compiler: { readonly command: string; readonly flags: readonly string[] };
  /** C and assembly files of the machine, relative to platforms/. */
  readonly sources: readonly string[];
  /** Without a driver's image the driver side is somewhere else: another machine, or an emulator. */
  readonly images: { readonly device: BoardImage; readonly driver?: BoardImage };
  readonly driverCore?: DriverCore;
  readonly windows: readonly BoardWindow[];
  readonly layouts: readonly { readonly window: number; readonly offset: number }[];
  readonly registers: readonly { readonly name: string; readonly address?: number }[];
  /** `driverLine`: the line of the driver's core, where it has another one. */
  readonly interrupts: readonly { readonly name: string; readonly line?: number; readonly driverLine?: number }[];
  /** `line`: the interrupt by which the device's core hears of a byte that came; without it nothing comes in. */
  readonly uart?: Readonly<Record<Side, number>> & { readonly line?: number };
  /** Without a timer of the board (0) the core's own. `alarm`: the timer's interrupt lines, where it has some. */
  readonly timer?: Readonly<Record<Side, number>> & { readonly hertz: number; readonly alarm?: Readonly<Record<Side, number>> };
  /** Cortex-R: the registers of its interrupt controller; versions 1 and 2 have an interface in memory, version 3 redistributors. */
  readonly gic?: { readonly distributor: number; readonly interface?: number; readonly redistributors?: number };
  /** Cortex-R of a K3 SoC: the registers of its vectored interrupt manager, instead of a `gic`. */
  readonly vim?: number;
  /** What the device's core says goes to these bytes of a shared window, also where it has a serial line, and the image has a resource table. */
  readonly trace?: {
    readonly window: number;
    readonly offset: number;
    readonly bytes: number;
    /** The image begins with what says where its resource table is: Linux's driver of a Zynq UltraScale+ attaches by it. */
    readonly metadata: boolean;
  };
  /** Registers that the core writes first of all, before it uses any memory but that of its vectors. */
  readonly bootWrites: readonly { readonly address: number; readonly value: number }[];
  /** False: there is no source of random bytes. True: a generator with a fixed seed, for emulators. */
  readonly seededRandom: boolean;
}

/** Checks JSON as it is read; every complaint names the file and the member. */
class Reader {
  constructor(
    private readonly file: string,
    private readonly at: string,
    private readonly value: unknown,
  ) {}

  private refuse(what: string): never {
    throw new UserError(`${this.file}: ${this.at === '' ? 'the file' : this.at} must be ${what}.`);
  }

  member(name: string): Reader {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
      this.refuse('an object');
    }
    const at = this.at === '' ? name : `${this.at}.${name}`;
    return new Reader(this.file, at, (this.value as Record<string, unknown>)[name]);
  }

  /** What `read` makes of this member, as a spreadable object; nothing when the member is absent. */
  optional<Name extends string, T>(name: Name, read: (reader: Reader) => T): { [key in Name]?: T } {
    const reader = this.member(name);
    return (reader.value === undefined ? {} : { [name]: read(reader) }) as { [key in Name]?: T };
  }

  list<T>(read: (reader: Reader) => T): T[] {
    if (!Array.isArray(this.value)) {
      this.refuse('a list');
    }
    return this.value.map((value, index) => read(new Reader(this.file, `${this.at}[${index}]`, value)));
  }

  string(): string {
    return typeof this.value === 'string' ? this.value : this.refuse('a string');
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.refuse('true or false');
  }

  count(): number {
    return Number.isInteger(this.value) && (this.value as number) >= 0 ? (this.value as number) : this.refuse('a whole number');
  }

  /** A 32-bit address written as a string of hexadecimal digits. */
  address(): number {
    const text = this.string();
    return /^0x[0-9a-fA-F]{1,8}$/.test(text) ? Number(text) : this.refuse('an address such as "0x20000000"');
  }

  driverAddress(): string {
    const text = this.string();
    return /^(0x[0-9a-fA-F]{16})?$/.test(text) ? text : this.refuse('"0x" with 16 hexadecimal digits, or ""');
  }

  windowBytes(): number {
    const bytes = this.count();
    return bytes >= 16 && bytes <= 2 ** 27 && bytes % 16 === 0 ? bytes : this.refuse('a multiple of 16 from 16 to 2^27');
  }
}

const region = (reader: Reader): Region => ({ address: reader.member('address').address(), bytes: reader.member('bytes').count() });

const image = (reader: Reader): BoardImage => ({
  core: reader.member('core').count(),
  ...reader.optional('flash', region),
  ...reader.optional('ram', region),
  ...reader.optional('vectors', (address) => address.address()),
  ...reader.optional('release', (address) => address.address()),
  ...reader.optional('boot', region),
  ...reader.optional('table', region),
  stackBytes: reader.member('stackBytes').count(),
  heapBytes: reader.member('heapBytes').count(),
});

/** One of each side; a board that has the device's alone gives it for both. */
const perSide = (reader: Reader, read: (side: Reader) => number): Record<Side, number> => {
  const device = read(reader.member('device'));
  return { device, driver: device, ...reader.optional('driver', read) };
};

const sides = (reader: Reader): Record<Side, number> => perSide(reader, (side) => side.address());

const qemu = (reader: Reader): BoardQemu => ({
  machine: reader.member('machine').string(),
  ...reader.optional('since', (version) => version.string()),
  ...reader.optional('cpu', (cpu) => cpu.string()),
  ...reader.optional('cores', (cores) => cores.count()),
  ...reader.optional('memory', (memory) => memory.count()),
});

const compilerOf = (reader: Reader): Board['compiler'] => ({
  command: reader.member('command').string(),
  flags: reader.member('flags').list((flag) => flag.string()),
});

const registerBlocks = (reader: Reader): Board['registers'] => reader.list((block) => ({
  name: block.member('name').string(),
  ...block.optional('address', (address) => address.address()),
}));

const interruptLines = (reader: Reader): Board['interrupts'] => reader.list((interrupt) => ({
  name: interrupt.member('name').string(),
  ...interrupt.optional('line', (line) => line.count()),
  ...interrupt.optional('driverLine', (line) => line.count()),
}));

const gicOf = (reader: Reader): NonNullable<Board['gic']> => ({
  distributor: reader.member('distributor').address(),
  ...reader.optional('interface', (address) => address.address()),
  ...reader.optional('redistributors', (address) => address.address()),
});

const driverCoreOf = (reader: Reader): DriverCore => ({
  cpu: reader.member('cpu').string(),
  compiler: compilerOf(reader.member('compiler')),
  sources: reader.member('sources').list((source) => source.string()),
  image: image(reader.member('image')),
  registers: registerBlocks(reader.member('registers')),
  interrupts: interruptLines(reader.member('interrupts')),
  uart: reader.member('uart').address(),
  timer: {
    ...reader.member('timer').optional('address', (address) => address.address()),
    hertz: reader.member('timer').member('hertz').count(),
    ...reader.member('timer').optional('alarm', (line) => line.count()),
  },
  ...reader.optional('gic', gicOf),
  ...reader.optional('deviceRam', (address) => address.address()),
});

const sidesCount = (reader: Reader): Record<Side, number> => perSide(reader, (side) => side.count());

/** Checks the content of a board.json; `file` is for messages. */
export function parseBoard(text: string, file: string): Board {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${(error as Error).message}.`);
  }
  const top = new Reader(file, '', json);
  const images = top.member('images');
  const { emulator } = top.optional('emulator', (reader) => ({ ...reader.optional('qemu', qemu), ...reader.optional('renode', (scene) => scene.string()) }));
  return {
    name: top.member('name').string(),
    description: top.member('description').string(),
    cpu: top.member('cpu').string(),
    ...emulator,
    compiler: compilerOf(top.member('compiler')),
    sources: top.member('sources').list((source) => source.string()),
    images: { device: image(images.member('device')), ...images.optional('driver', image) },
    ...top.optional('driverCore', driverCoreOf),
    windows: top.member('windows').list((window) => ({
      name: window.member('name').string(),
      ...window.optional('cpuAddress', (address) => address.address()),
      driverAddress: window.member('driverAddress').driverAddress(),
      ...window.optional('atRunTime', (flag) => flag.boolean()),
      ...window.optional('cached', (flag) => flag.boolean()),
      bytes: window.member('bytes').windowBytes(),
    })),
    layouts: top.member('layouts').list((layout) => ({ window: layout.member('window').count(), offset: layout.member('offset').count() })),
    registers: registerBlocks(top.member('registers')),
    interrupts: interruptLines(top.member('interrupts')),
    ...top.optional('uart', (uart) => ({ ...sides(uart), ...uart.optional('line', (line) => line.count()) })),
    ...top.optional('timer', (timer) => ({
      ...(timer.optional('device', () => true).device === true ? sides(timer) : { device: 0, driver: 0 }),
      hertz: timer.member('hertz').count(),
      ...timer.optional('alarm', sidesCount),
    })),
    ...top.optional('gic', gicOf),
    ...top.optional('vim', (address) => address.address()),
    ...top.optional('trace', (trace) => ({
      window: trace.member('window').count(),
      offset: trace.member('offset').count(),
      bytes: trace.member('bytes').count(),
      metadata: trace.optional('metadata', (flag) => flag.boolean()).metadata ?? false,
    })),
    bootWrites: top.optional('bootWrites', (writes) => writes.list((write) => ({ address: write.member('address').address(), value: write.member('value').address() }))).bootWrites ?? [],
    seededRandom: top.optional('seededRandom', (flag) => flag.boolean()).seededRandom ?? false,
  };
}

/** True for a core whose image has vectors that are instructions, an interrupt controller outside of it and a protection unit of its own kind. */
export function isCortexR(board: Board): boolean {
  return board.cpu.startsWith('cortex-r');
}

/** True for a core that begins in another state than its image runs in. */
export function isCortexA(board: Board): boolean {
  return board.cpu.startsWith('cortex-a');
}

/** True for a target whose program is a process of the developer's machine. */
export function isProcess(board: Board): boolean {
  return board.images.device.flash === undefined;
}

/** True when all that is built for the board is the device's image: the driver side is Linux, or another core's program. */
export function isDeviceOnly(board: Board): boolean {
  return board.images.driver === undefined && board.images.device.flash !== undefined;
}

/** True when a scene can have a driver's side of this board: linked into the device's image, or an image of its own. */
export function hasDriverSide(board: Board): boolean {
  return board.images.driver !== undefined || board.driverCore !== undefined;
}

/** The board as the driver's core sees it. Shared windows then lie where the driver's addresses say. */
export function driverBoard(board: Board): Board {
  const { name, description, driverCore: core, layouts } = board;
  if (core === undefined) {
    return board;
  }
  const { address = 0, hertz, alarm } = core.timer;
  return {
    name,
    description,
    cpu: core.cpu,
    compiler: core.compiler,
    sources: core.sources,
    images: {
      device: core.deviceRam === undefined || board.images.device.ram === undefined ? board.images.device
        : { ...board.images.device, ram: { ...board.images.device.ram, address: core.deviceRam } },
      driver: core.image,
    },
    windows: board.windows.map((window) => (window.driverAddress === '' ? window : { ...window, cpuAddress: Number(window.driverAddress) })),
    layouts,
    registers: core.registers,
    interrupts: core.interrupts,
    uart: { device: 0, driver: core.uart },
    timer: { device: 0, driver: address, hertz, ...(alarm === undefined ? {} : { alarm: { device: 0, driver: alarm } }) },
    ...(core.gic === undefined ? {} : { gic: core.gic }),
    bootWrites: [],
    seededRandom: false,
  };
}

/** Reads a target's board.json. An unknown target is an error that lists the known ones. */
export function readBoard(target: string): Board {
  checkTarget(target);
  const file = path.join('platforms', target, 'board.json');
  return parseBoard(readFileSync(path.join(packageRoot, file), 'utf8'), file);
}
