// Builds a target's images: compiles the engine and the machine's C, links them with the bundles, and weighs the result.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { type Board, type BoardImage, type BoardWindow, type Region, type Side, driverBoard, isCortexA, isCortexR, readBoard } from './board.js';
import { type Outcome, hashOf, run, temporaryName, writeWhole } from './build-files.js';
import { duktapeFor } from '../engines/duktape.js';
import type { EngineRequest, PreparedEngine } from '../engines/engine.js';
import { jerryscriptFor } from '../engines/jerryscript.js';
import { type Engine, packageRoot } from '../targets.js';
import { UserError } from '../user-error.js';

/** What to build. */
export interface ImageOptions {
  readonly target: string;
  readonly engine: Engine;
  /** Files with the bundles' text. */
  readonly bundles: { readonly device: string; readonly driver?: string };
  readonly outDir: string;
  /** Links the bundles' text, which the core then compiles at its start. */
  readonly source?: boolean;
  /** For emulators: random bytes from a generator with a fixed seed also where the board has no source. */
  readonly seededRandom?: boolean;
  /** Told of each step that takes time. */
  readonly log?: (line: string) => void;
}

/** What an image takes, in bytes. */
export interface ImageSize {
  /** Code, constants, the bundle, and the start values of variables. */
  readonly flash: number;
  /** Variables of the C code; heap and stack are counted apart. */
  readonly ram: number;
  readonly heap: number;
  readonly stack: number;
}

/** What was built. */
export interface ImageResult {
  /** The device's image; on a target whose one core runs both sides it holds the driver too, on the host it is the runner. */
  readonly device: string;
  readonly driver?: string;
  readonly sizes: { readonly device: ImageSize; readonly driver?: ImageSize };
}

const platforms = path.join(packageRoot, 'platforms');
/** Makes an engine ready; what is missing is a UserError that says what to install or set. */
const engineFor: Readonly<Record<Engine, (request: EngineRequest) => PreparedEngine>> = { duktape: duktapeFor, jerryscript: jerryscriptFor };

const ownFlags = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-ffunction-sections', '-fdata-sections'];
const sharedSources = ['engine/natives.c', 'engine/descriptors.c', 'engine/text.c', 'engine/heap.c', 'engine/seeded-random.c'];

/** The compiler's version; a missing compiler or C library is an error that says what to install. */
async function probeCompiler(board: Board): Promise<string> {
  const { command, flags } = board.compiler;
  const cross = command.startsWith('arm-none-eabi-');
  const packages = cross ? 'gcc-arm-none-eabi and libnewlib-arm-none-eabi' : 'gcc and libc6-dev';
  let version: Outcome;
  try {
    version = await run(command, ['--version']);
  } catch {
    throw new UserError(`The compiler ${command} for ${board.name} is missing: install the packages ${packages}.`);
  }
  const library = await run(command, [...flags, '-print-file-name=libc.a']);
  if (!path.isAbsolute(library.output.trim())) {
    throw new UserError(`The C library of ${command} for ${board.name} is missing: install the packages ${packages}.`);
  }
  return version.output;
}

const hex = (address: number): string => `0x${address.toString(16)}`;

/** True for a window without a place of its own: a variable of the device's image. */
export const isVariable = (window: BoardWindow): boolean => window.driverAddress === '' && window.cpuAddress === undefined && window.atRunTime !== true;

/** Where a window begins, as C says it; 0 on the host, which maps its shared windows when it starts. */
const windowBase = (window: BoardWindow): string => (isVariable(window) ? 'private_window' : `(uint8_t *)${hex(window.cpuAddress ?? 0)}`);

/** Eight instructions and the addresses they load. */
const vectorsBytes = 64;

/** The stretches of memory that a Cortex-R protects, by address, with their use in platforms/cortex-r/cortex-r.h. */
function protectedRegions(image: BoardImage, windows: readonly BoardWindow[]): { address: number; bytes: number; use: string }[] {
  const { vectors, flash, ram } = image;
  return [
    ...(vectors === undefined ? [] : [{ address: vectors, bytes: vectorsBytes, use: 'REGION_CODE' }]),
    ...(flash === undefined ? [] : [{ ...flash, use: 'REGION_CODE' }]),
    ...(ram === undefined ? [] : [{ ...ram, use: 'REGION_DATA' }]),
    ...windows.flatMap(({ cpuAddress, bytes, driverAddress, cached }) =>
      cpuAddress === undefined ? [] : [{ address: cpuAddress, bytes, use: driverAddress === '' ? 'REGION_DATA' : cached === true ? 'REGION_CACHED' : 'REGION_SHARED' }]),
  ].sort((a, b) => a.address - b.address);
}

/** Windows that the other side reaches, too. */
const isShared = (window: BoardWindow): boolean => window.cpuAddress !== undefined && window.name !== 'private';

/** True where a Cortex-M takes memory for devices unless it is told otherwise. */
const isForDevices = (address: number): boolean => (address >= 0x40000000 && address < 0x60000000) || (address >= 0xa0000000 && address < 0xe0000000);

/** Memory that is not to be cached: what is shared, and RAM where devices are expected. Neighbours make one region. */
function uncached(board: Board, ram: Region | undefined): Region[] {
  const all = board.windows.filter(isShared).map(({ cpuAddress = 0, bytes }) => ({ address: cpuAddress, bytes }));
  const joined: Region[] = [];
  for (const region of [...all, ...(ram !== undefined && isForDevices(ram.address) ? [ram] : [])].sort((a, b) => a.address - b.address)) {
    const last = joined.at(-1);
    if (last !== undefined && last.address + last.bytes === region.address) {
      joined.splice(-1, 1, { address: last.address, bytes: last.bytes + region.bytes });
    } else {
      joined.push(region);
    }
  }
  const odd = joined.find(({ address, bytes }) => Math.log2(bytes) % 1 !== 0 || address % bytes !== 0);
  if (odd !== undefined && ['cortex-m3', 'cortex-m4', 'cortex-m7'].includes(board.cpu)) {
    throw new UserError(`The memory protection of a ${board.cpu} has no region of ${odd.bytes} bytes at ${hex(odd.address)} (${board.name}): make it a power of two, aligned to itself.`);
  }
  return joined;
}

/** The numbers that resource-table.c and trace-buffer.c are made of. */
function remoteprocDefines(board: Board, side: Side): [string, string | number][] {
  if (board.trace === undefined || side === 'driver') {
    return [];
  }
  const { window, offset, bytes, metadata } = board.trace;
  // Other windows are memory that the driver side keeps for itself: its pool of buffers.
  const carveouts = board.windows.filter((shared, index) => isShared(shared) && shared.driverAddress !== '' && board.layouts.some((layout) => layout.window === index));
  const home = board.windows[window];
  if (home === undefined || !carveouts.includes(home) || offset + bytes > home.bytes || bytes < 16) {
    throw new UserError(`The trace buffer of ${board.name} must be at least 16 bytes in a window that has a layout and an address for the driver side.`);
  }
  // The table's head takes 16 bytes and 4 for each offset, a carveout 56.
  const first = 16 + 4 * (carveouts.length + 1);
  const physical = (address: string): string => (/^0x0{8}/.test(address) ? `0x${address.slice(10)}` : '0xffffffff');
  return [
    ['BOARD_CARVEOUTS', carveouts.map((shared) => `CARVEOUT("${shared.name}", ${hex(shared.cpuAddress ?? 0)}, ${physical(shared.driverAddress)}, ${shared.bytes})`).join(' ')],
    ['BOARD_RESOURCE_OFFSETS', [...carveouts, home].map((_, index) => first + 56 * index).join(', ')],
    ['BOARD_TRACE_ADDRESS', hex((home.cpuAddress ?? 0) + offset)],
    ['BOARD_TRACE_BYTES', bytes],
    ['BOARD_TABLE_METADATA', metadata ? 1 : 0],
  ];
}

/** board.h for one image: the board's numbers as macros for C and the linker script. */
function boardHeader(board: Board, side: Side, seededRandom: boolean): string {
  const { device, driver } = board.images;
  const own = board.images[side] ?? device;
  const single = side === 'device' && driver !== undefined && driver.flash === undefined;
  // On a single core the driver starts on the main stack and the device is the second one.
  const main = single ? driver : own;
  // A driver's image of its own has no use for the device's private memory.
  const windows = side === 'device' ? board.windows : board.windows.filter((window) => window.driverAddress !== '');
  const privateBytes = windows.find(isVariable)?.bytes;
  const lines = board.interrupts.map(({ line = 0, driverLine = line }) => (side === 'device' ? line : driverLine));
  const serialLine = side === 'device' && board.uart?.line !== undefined ? [board.uart.line] : [];
  const defines: [string, string | number][] = [
    ['BOARD_SIDE', side === 'device' ? 'MACHINE_DEVICE' : 'MACHINE_DRIVER'],
    ['BOARD_BUNDLE_NAME', `"${side}.js"`],
    ['BOARD_DEVICE_STACK', device.stackBytes],
    ['BOARD_DRIVER_STACK', driver?.stackBytes ?? 0],
    ['BOARD_DEVICE_HEAP', device.heapBytes],
    ['BOARD_DRIVER_HEAP', driver?.heapBytes ?? 0],
    ['BOARD_MAIN_STACK', main.stackBytes],
    ['BOARD_MAIN_HEAP', main.heapBytes],
    ['BOARD_WINDOWS', `{ ${windows.map((window) => `{ ${windowBase(window)}, ${window.bytes} }`).join(', ')} }`],
    ['BOARD_PRIVATE_WINDOW', privateBytes === undefined ? '' : `static uint8_t private_window[${privateBytes}] __attribute__((aligned(16)));`],
    ['BOARD_REGISTERS', `{ ${board.registers.map((block) => hex(block.address ?? 0)).join(', ')} }`],
    ['BOARD_INTERRUPTS', `{ ${lines.join(', ')} }`],
    // Those that the interrupt controller prepares.
    ['BOARD_LINES', `{ ${[...lines, ...serialLine].join(', ')} }`],
    ...serialLine.map((line): [string, number] => ['BOARD_UART_LINE', line]),
    ['BOARD_SEMIHOSTING', board.qemu === undefined ? 0 : 1],
    ['BOARD_SEEDED_RANDOM', seededRandom ? 1 : 0],
    ['BOARD_BOOT_WRITES', board.bootWrites.map(({ address, value }) => `BOOT_WRITE(${hex(address)}, ${hex(value)})`).join(' ')],
    ['BOARD_UNCACHED', uncached(board, own.ram).map(({ address, bytes }) => `REGION(${hex(address)}, ${bytes}u)`).join(' ')],
    ...remoteprocDefines(board, side),
  ];
  if (single) {
    defines.push(['BOARD_SECOND_STACK', device.stackBytes], ['BOARD_SECOND_HEAP', device.heapBytes]);
  }
  if (device.ram !== undefined) {
    defines.push(['BOARD_DEVICE_STACK_LOW', hex(device.ram.address)]);
  }
  if (own.flash !== undefined && own.ram !== undefined) {
    defines.push(
      ['BOARD_FLASH_ADDRESS', hex(own.flash.address)],
      ['BOARD_FLASH_BYTES', own.flash.bytes],
      ['BOARD_RAM_ADDRESS', hex(own.ram.address)],
      ['BOARD_RAM_BYTES', own.ram.bytes],
    );
  }
  if (own.boot !== undefined) {
    defines.push(['BOARD_BOOT_ADDRESS', hex(own.boot.address)], ['BOARD_BOOT_BYTES', own.boot.bytes]);
  }
  if (own.table !== undefined) {
    defines.push(['BOARD_TABLE_ADDRESS', hex(own.table.address)], ['BOARD_TABLE_BYTES', own.table.bytes]);
  }
  if (board.uart !== undefined) {
    defines.push(
      ['BOARD_UART', hex(board.uart[side])],
      ['BOARD_UART_DEVICE', hex(board.uart.device)],
      ['BOARD_UART_DRIVER', hex(board.uart.driver)],
    );
  }
  if (board.timer !== undefined) {
    defines.push(['BOARD_TIMER', hex(board.timer[side])], ['BOARD_TIMER_HERTZ', board.timer.hertz]);
  }
  if (board.timer?.alarm !== undefined) {
    defines.push(['BOARD_ALARM', board.timer.alarm[side]]);
  }
  if (board.gic !== undefined) {
    const { distributor, interface: own, redistributors } = board.gic;
    defines.push(['BOARD_GIC_DISTRIBUTOR', hex(distributor)]);
    defines.push(...(own === undefined ? [] : [['BOARD_GIC_INTERFACE', hex(own)] as [string, string]]));
    defines.push(...(redistributors === undefined ? [] : [['BOARD_GIC_REDISTRIBUTORS', hex(redistributors)] as [string, string]]));
  }
  if (board.vim !== undefined) {
    defines.push(['BOARD_VIM', hex(board.vim)]);
  }
  if (own.vectors !== undefined) {
    defines.push(['BOARD_VECTORS_ADDRESS', hex(own.vectors)], ['BOARD_VECTORS_BYTES', vectorsBytes]);
  }
  if (isCortexR(board)) {
    const regions = protectedRegions(own, windows);
    defines.push(
      ['BOARD_REGIONS', `{ ${regions.map(({ address, bytes, use }) => `{ ${hex(address)}, ${bytes}, ${use} }`).join(', ')} }`],
      ['BOARD_REGIONS_ALIGNED', regions.every(({ address, bytes }) => Number.isInteger(Math.log2(bytes)) && address % bytes === 0) ? 1 : 0],
    );
  }
  if (isCortexA(board)) {
    defines.push(['BOARD_ENTRY', 'start']);
  }
  if (own.release !== undefined) {
    defines.push(['BOARD_RELEASE', hex(own.release)]);
  }
  const text = defines.map(([name, value]) => `#define ${name} ${value}\n`).join('');
  return `// The ${side} image of ${board.name} in numbers; made from board.json by the build.\n${text}`;
}

/** Compiles into the cache under a name made from everything that goes in; returns the object file. */
async function compile(
  board: Board,
  version: string,
  cache: string,
  source: string,
  flags: readonly string[],
  inputs: readonly string[],
  log: (line: string) => void,
): Promise<string> {
  const name = path.basename(source, path.extname(source));
  const all = [...board.compiler.flags, ...flags];
  const key = hashOf([version, all.join(' '), readFileSync(source, 'utf8'), ...inputs]);
  const object = path.join(cache, `${name}-${key}.o`);
  if (!existsSync(object)) {
    log(`compile ${path.basename(source)}`);
    const temporary = temporaryName(object);
    const { status, output } = await run(board.compiler.command, [...all, '-c', source, '-o', temporary]);
    if (status !== 0) {
      throw new Error(`${board.compiler.command} failed on ${source}:\n${output}`);
    }
    renameSync(temporary, object);
  }
  return object;
}

/** Says a linker's message about a full region in the board's words. */
function linkError(board: Board, side: Side, output: string): Error {
  const overflows = [...output.matchAll(/region `(\w+)' overflowed by (\d+) bytes/g)];
  if (overflows.length === 0) {
    return new Error(`The ${side} image of ${board.name} does not link:\n${output}`);
  }
  const regions = overflows.map(([, region, bytes]) => `${region === 'FLASH' ? 'flash' : 'RAM'} is ${bytes} bytes too small`);
  return new UserError(`The ${side} image does not fit ${board.name}: ${regions.join(' and ')} (images.${side} in its board.json).`);
}

/** A section of an ELF file. */
export interface ElfSection {
  readonly name: string;
  readonly address: number;
  /** Where its content is in the file. */
  readonly offset: number;
  readonly bytes: number;
  /** Takes memory when the program runs (SHF_ALLOC). */
  readonly allocated: boolean;
  /** Has content in the file (not SHT_NOBITS). */
  readonly stored: boolean;
  readonly writable: boolean;
}

/** Reads the section headers of a little-endian ELF file of 32 or 64 bits. */
export function readElfSections(elf: Buffer): ElfSection[] {
  if (elf.length < 52 || elf.readUInt32BE(0) !== 0x7f454c46 || elf[5] !== 1) {
    throw new UserError('The file is not a little-endian ELF file.');
  }
  const wide = elf[4] === 2;
  const word = (at: number): number => (wide ? Number(elf.readBigUInt64LE(at)) : elf.readUInt32LE(at));
  const table = word(wide ? 0x28 : 0x20);
  const entryBytes = elf.readUInt16LE(wide ? 0x3a : 0x2e);
  const count = elf.readUInt16LE(wide ? 0x3c : 0x30);
  const namesIndex = elf.readUInt16LE(wide ? 0x3e : 0x32);
  const headers = Array.from({ length: count }, (_, index) => {
    const at = table + index * entryBytes;
    return {
      name: elf.readUInt32LE(at),
      type: elf.readUInt32LE(at + 4),
      flags: word(at + 8),
      address: word(at + (wide ? 0x10 : 0x0c)),
      offset: word(at + (wide ? 0x18 : 0x10)),
      bytes: word(at + (wide ? 0x20 : 0x14)),
    };
  });
  const names = headers[namesIndex]?.offset ?? 0;
  return headers.map(({ name, type, flags, address, offset, bytes }) => ({
    name: elf.toString('latin1', names + name, elf.indexOf(0, names + name)),
    address,
    offset,
    bytes,
    allocated: (flags & 2) !== 0,
    stored: type !== 8,
    writable: (flags & 1) !== 0,
  }));
}

/** Weighs an image; heap and stack are those of the sections of these names. */
export function imageSize(elf: Buffer): ImageSize {
  const sections = readElfSections(elf).filter((section) => section.allocated);
  const sum = (wanted: (section: ElfSection) => boolean): number =>
    sections.filter(wanted).reduce((bytes, section) => bytes + section.bytes, 0);
  const apart = (section: ElfSection): boolean => section.name === '.heap' || section.name === '.stack';
  return {
    flash: sum((section) => section.stored),
    ram: sum((section) => section.writable && !apart(section)),
    heap: sum((section) => section.name === '.heap'),
    stack: sum((section) => section.name === '.stack'),
  };
}

/** Builds the images of a target into `outDir`. What a user can mend is reported as a UserError of one sentence. */
export async function buildImage(options: ImageOptions): Promise<ImageResult> {
  const board = readBoard(options.target);
  const log = options.log ?? (() => undefined);
  const cache = path.resolve('build', 'obj');
  mkdirSync(cache, { recursive: true });
  mkdirSync(options.outDir, { recursive: true });
  const isProcess = board.images.device.flash === undefined;
  const single = board.images.driver !== undefined && board.images.driver.flash === undefined;

  /** What both sides share where their cores are of one kind. */
  const prepare = async (board: Board) => {
    const version = await probeCompiler(board);
    const engine = engineFor[options.engine]({ cache, board, asText: options.source === true || isProcess, log });
    const engineObjects = engine.source === undefined ? [] : [compile(board, version, cache, engine.source.file, engine.source.flags, [], log)];
    return { board, version, engine, engineObjects };
  };

  const link = async ({ board, version, engine, engineObjects }: Awaited<ReturnType<typeof prepare>>, side: Side): Promise<string> => {
    const header = boardHeader(board, side, options.seededRandom ?? board.seededRandom);
    const headerFolder = path.join(cache, `board-${hashOf([header])}`);
    mkdirSync(headerFolder, { recursive: true });
    writeWhole(path.join(headerFolder, 'board.h'), header);
    const includes = [headerFolder, ...engine.includes, ...['engine', 'one-core', 'bare-metal', 'cortex-m', 'cortex-r', 'host', board.name].map((folder) => path.join(platforms, folder))];
    const headers = includes.flatMap((folder) =>
      readdirSync(folder).filter((name) => name.endsWith('.h')).map((name) => readFileSync(path.join(folder, name), 'utf8')),
    );
    const flags = [...ownFlags, ...engine.flags, ...includes.map((folder) => `-I${folder}`)];
    const own = [...sharedSources, engine.glue, ...board.sources].map((source) =>
      compile(board, version, cache, path.join(platforms, source), flags, headers, log),
    );
    // The host's runner reads its bundles when it starts.
    const linked: readonly (readonly [string, Side])[] = isProcess ? []
      : single ? [['bundle_main', 'driver'], ['bundle_second', 'device']]
      : [['bundle_main', side]];
    const sources = await engine.bundles(linked.map(([symbol, from]) => ({ symbol, text: readFileSync(options.bundles[from] ?? '', 'utf8'), name: `${from}.js` })));
    const bundles = sources.map(({ file, flags: own }) => compile(board, version, cache, file, own, [], () => undefined));
    const objects = await Promise.all([...engineObjects, ...own, ...bundles]);
    const out = path.join(options.outDir, isProcess ? `vmsg-${board.name}` : single ? `${board.name}.elf` : `${side}.elf`);
    const flagsOfLink = ['-Wl,--gc-sections', '-Wl,-z,noexecstack'];
    if (!isProcess) {
      const script = path.join(headerFolder, 'image.ld');
      const writing = temporaryName(script);
      const made = await run(board.compiler.command, ['-E', '-P', '-x', 'c', `-I${headerFolder}`, path.join(platforms, 'bare-metal/image.ld'), '-o', writing]);
      if (made.status !== 0) {
        throw new Error(`The linker script of ${board.name} cannot be made:\n${made.output}`);
      }
      renameSync(writing, script);
      flagsOfLink.push('-nostartfiles', '--specs=nosys.specs', '-T', script);
    }
    const temporary = temporaryName(out);
    const { status, output } = await run(board.compiler.command, [...board.compiler.flags, ...flagsOfLink, ...objects, ...engine.link, '-lm', '-o', temporary]);
    if (status !== 0) {
      throw linkError(board, side, output);
    }
    renameSync(temporary, out);
    log(`link ${path.basename(out)}`);
    return out;
  };

  const prepared = await prepare(board);
  const device = await link(prepared, 'device');
  const sizes = imageSize(readFileSync(device));
  // A board without a driver's image has its driver side somewhere else; one whose driver's core is of another kind has it in scenes only.
  const alone = board.images.driver === undefined && (board.driverCore === undefined || options.bundles.driver === undefined);
  if (single || alone) {
    return { device, sizes: { device: sizes } };
  }
  const driver = await link(board.driverCore === undefined ? prepared : await prepare(driverBoard(board)), 'driver');
  return { device, driver, sizes: { device: sizes, driver: imageSize(readFileSync(driver)) } };
}
