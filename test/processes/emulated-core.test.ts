// The device's side on an emulated Cortex-M33 whose main memory is a file, the driver's side a process that maps the same file.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { bundle } from '../../tools/bundle/bundle.js';
import { emulatedCoreTarget, makeCoreMemory, startCore } from '../../tools/emulator/emulated-core.js';
import { qemuVersion } from '../../tools/emulator/qemu.js';
import { note } from '../../tools/support/record.js';
import { buildImage } from '../../tools/image/image.js';
import type { RunnerOptions } from '../../tools/host-process/runner.js';
import { packageRoot } from '../../tools/targets.js';
import { freshFolder, readAt, Side, SharedFiles } from '../support/processes.js';

/** RAM of the other machine. */
const RAM_BYTES = 2 ** 29;
/** What is used of the memory: the driver program's ring and buffers, the layout with its queues, and all that the core's image owns. */
const RING = { at: 0x100000, bytes: 0x1000 };
const BUFFERS = { at: 0x200000, bytes: 0x1000 };
const LAYOUT = { at: 0x18001000, bytes: 128 + 2 * 16 * 64 };
const IMAGE_RAM = { at: 0x20000000, bytes: 0 };

const PUBLISHED = '~1 0 ';
const RUN = '~3 0 ';
const DRIVER_SHUTDOWN = '~4 0 ';

/** The emulated core's memory file, and the sides that share it. */
class Machine {
  readonly file = path.join(freshFolder(), 'ddr');
  private readonly files = new SharedFiles();
  private readonly options: RunnerOptions = {
    side: 'driver',
    memory: [{ file: this.file, bytes: RAM_BYTES, base: 0n }],
    layouts: [{ file: this.file, offset: LAYOUT.at }],
    doorbell: 'poll:500',
  };

  constructor(private readonly image: string) {
    makeCoreMemory(this.file);
  }

  /** Switches the core on and waits for its layout. */
  async core(): Promise<Side> {
    const core = new Side((onLine) => startCore(this.image, this.file, onLine));
    await core.saw(PUBLISHED);
    return core;
  }

  driver(program: string): Promise<Side> {
    return this.files.start(program, this.options);
  }
}

/** Builds an app into an image of the emulated core. */
async function imageOf(app: string): Promise<string> {
  const outDir = freshFolder();
  const device = path.join(outDir, 'device.js');
  await bundle({ target: emulatedCoreTarget, role: 'device', entry: path.join(packageRoot, app), outFile: device });
  return (await buildImage({ target: emulatedCoreTarget, engine: 'duktape', bundles: { device }, outDir })).device;
}

async function kill(side: Side): Promise<void> {
  side.kill('SIGKILL');
  await side.ended;
}

test('an emulated core serves entropy to another machine whose RAM is its main memory, and writes nowhere else in it', async () => {
  const machine = new Machine(await imageOf('firmware/apps/entropy.ts'));
  const core = await machine.core();
  for (const life of [1, 2]) {
    const driver = await machine.driver('attached-entropy');
    const { status, words } = await driver.ended;
    assert.equal(status, 0, words + driver.lines.join('\n'));
    assert.ok(driver.lines.includes('# entropy-bytes 4096'));
    await core.saw(DRIVER_SHUTDOWN, life);
  }
  assert.equal(core.count(RUN), 2);
  note({ target: emulatedCoreTarget, engine: 'duktape', ranOn: qemuVersion(), test: 'test/processes/emulated-core.test.ts' });
  assert.deepEqual(core.lines.filter((line) => line.startsWith('fatal') || line.startsWith('error')), []);
  await kill(core);
  const zeros = Buffer.alloc(2 ** 24);
  let from = 0;
  for (const { at: end, bytes } of [RING, BUFFERS, LAYOUT, IMAGE_RAM]) {
    for (let at = from; at < end; at += zeros.length) {
      const part = readAt(machine.file, at, Math.min(zeros.length, end - at));
      assert.ok(part.equals(zeros.subarray(0, part.length)), `something in ${part.length} bytes from ${at} on was written`);
    }
    from = end + bytes;
  }
});

test('R-280 either side of an emulated core may be killed and started again while the other one runs', async () => {
  const machine = new Machine(await imageOf('test/emulator/apps/echo.ts'));
  let core = await machine.core();
  let driver = await machine.driver('recovery');
  await driver.saw('life');
  await kill(driver);
  driver = await machine.driver('recovery');
  await driver.saw('life');
  await kill(core);
  const lives = driver.count('life');
  core = await machine.core();
  // The line of a life that ended just before may still have been on its way.
  await driver.saw('life', lives + 2);
  assert.ok(core.count(RUN) >= 1);
  await driver.stop();
  await kill(core);
});
