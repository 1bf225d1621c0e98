// What each device type costs: the same image built, and started on the emulated core, with the device and without it.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { readBoard } from './board.js';
import { writeWhole } from './build-files.js';
import { isVariable } from './image.js';
import { packaged, runScene } from '../emulator/scene.js';
import type { Capacity } from '../bundle/bundle.js';
import type { Engine } from '../targets.js';
import { UserError } from '../user-error.js';

/** The device types with their built-in backends and default sizes, as an app would write them. */
export const deviceTypes: Readonly<Record<string, string>> = {
  entropy: 'entropy({ number })',
  console: 'console({ number, ports: [{ backend: echo() }] })',
  block: "block({ number, backend: ramDisk({ sectors: 8 }), id: 'size' })",
  network: 'network({ number, backend: loopBack(), frames: 2 })',
  gpio: 'gpio({ number, lines: 8 })',
  i2c: 'i2c({ number })',
  spi: 'spi({ number })',
  rtc: 'rtc({ number })',
  can: 'can({ number })',
  input: "input({ number, name: 'size' })",
  scmi: 'scmi({ number })',
};

/** What one image takes, in bytes. */
export interface ImageCost {
  /** Code, constants, the bundle, and the start values of variables. */
  readonly flash: number;
  /** Variables of the C code and the part of the private window that is given out. */
  readonly memory: number;
  /** Most bytes of the engine's heap in use from the start until a driver has shaken hands and gone. */
  readonly heapPeak: number;
}

/** One row: what an image without devices takes, what each device adds to it, and what all of them take together. */
export interface DeviceCost extends ImageCost {
  readonly name: string;
}

/** The source of an app with these devices. */
export function appSource(names: readonly string[]): string {
  const made = names.map((name, index) => `    ${(deviceTypes[name] ?? '').replace('number', `number: ${index + 1}`)},\n`).join('');
  const imports = ['bus', ...new Set(made.match(/\w+(?=\()/g) ?? [])].sort();
  return `import { ${imports.join(', ')} } from 'virtio-msg-device';\nexport default bus({\n  profile: 'A',\n  devices: [\n${made}  ],\n});\n`;
}

/** Log codes (firmware/wire/log.ts). */
const log = { shutdown: 4, privateMemory: 10 };

/** What to measure. */
export interface CostRequest {
  readonly target: string;
  readonly engine: Engine;
  /** For how many devices and queues the images have tables; what is left out is as in firmware/capacity.ts. */
  readonly capacity: Capacity;
  readonly onStep: (line: string) => void;
}

/** Builds and starts an image with the devices of `names`. */
export async function imageCost({ target, engine, capacity, onStep }: CostRequest, name: string, names: readonly string[]): Promise<ImageCost> {
  const folder = path.resolve('build', target, 'per-device');
  mkdirSync(folder, { recursive: true });
  const app = path.join(folder, `${name}.ts`);
  writeWhole(app, appSource(names));
  const result = await runScene({ target, engine, app, program: packaged('test', 'emulator', 'programs', 'connects.ts'), limitSeconds: 120, capacity, onStep: (line) => onStep(`${name}: ${line}`) });
  const privateMemory = result.log.find((entry) => entry.code === log.privateMemory);
  const end = result.log.find((entry) => entry.code === log.shutdown);
  if (result.status !== 0 || privateMemory === undefined || end === undefined) {
    throw new UserError(`The image '${name}' does not start on ${target}: ${[...result.device, ...result.driver].filter((line) => /^[!E]/.test(line)).pop() ?? `status ${result.status}`}.`);
  }
  const { flash, ram } = result.image.sizes.device;
  // The private window is a variable of the image, as large as the board says; what an app needs of it is what it was given.
  const window = readBoard(target).windows.find(isVariable)?.bytes ?? 0;
  return { flash, memory: ram - window + privateMemory.value, heapPeak: end.heapPeak };
}

/** Builds and starts an image without devices, one with each device of `names` alone, and one with all of them. */
export async function costPerDevice(request: CostRequest, names: readonly string[]): Promise<DeviceCost[]> {
  const none = await imageCost(request, 'none', []);
  const rows: DeviceCost[] = [{ name: 'none', ...none }];
  for (const name of names) {
    const one = await imageCost(request, name, [name]);
    rows.push({ name, flash: one.flash - none.flash, memory: one.memory - none.memory, heapPeak: one.heapPeak - none.heapPeak });
  }
  rows.push({ name: 'all', ...(await imageCost(request, 'all', names)) });
  return rows;
}
