// `vmsg size --per-device`: the table is measured from images that were built and started, mistakes are one sentence.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { appSource, costPerDevice, deviceTypes, imageCost } from '../../tools/image/per-device.js';
import { packageRoot } from '../../tools/targets.js';

function size(...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync('node', [path.join(packageRoot, 'tools', 'vmsg.mjs'), 'size', ...args], { encoding: 'utf8' });
  return { status, stderr };
}

test('all eleven device types have a row, and an app that imports just what it uses', () => {
  assert.deepEqual(Object.keys(deviceTypes), ['entropy', 'console', 'block', 'network', 'gpio', 'i2c', 'spi', 'rtc', 'can', 'input', 'scmi']);
  assert.equal(
    appSource(['console', 'rtc']),
    "import { bus, console, echo, rtc } from 'virtio-msg-device';\n" +
      "export default bus({\n  profile: 'A',\n  devices: [\n    console({ number: 1, ports: [{ backend: echo() }] }),\n    rtc({ number: 2 }),\n  ],\n});\n",
  );
  assert.equal(appSource([]), "import { bus } from 'virtio-msg-device';\nexport default bus({\n  profile: 'A',\n  devices: [\n  ],\n});\n");
});

const request = { target: 'mps2-an521-m33', engine: 'duktape', onStep: () => undefined } as const;

test('all eleven device types together fit 512 KiB of flash and 128 KiB of RAM, with the tables as they are and with smaller ones', async () => {
  // 8,336 bytes are the deepest use that was seen, in the demo too.
  const stack = 10240;
  for (const [capacity, limit] of [[{}, 131072], [{ devices: 16, queues: 32 }, 110592]] as const) {
    const { flash, memory, heapPeak } = await imageCost({ ...request, capacity }, 'marks', Object.keys(deviceTypes));
    assert.ok(flash <= 524288, `${flash} bytes of flash`);
    assert.ok(memory + heapPeak + stack <= limit, `${memory} + ${heapPeak} + ${stack} bytes of RAM`);
  }
});

test('with one device, all is what the image without devices takes and what the device adds', async () => {
  const rows = await costPerDevice({ ...request, capacity: {} }, ['gpio']);
  const [none, gpio, all] = rows;
  assert.ok(none !== undefined && gpio !== undefined && all !== undefined);
  assert.deepEqual(rows.map(({ name }) => name), ['none', 'gpio', 'all']);
  for (const figure of ['flash', 'memory', 'heapPeak'] as const) {
    assert.equal(none[figure] + gpio[figure], all[figure], figure);
    assert.ok(gpio[figure] > 0, figure);
  }
  // Variables and what the app is given; not the whole of the private window.
  assert.ok(none.memory < 8192, `${none.memory} bytes`);
});

test('mistakes are one sentence', () => {
  const { status, stderr } = size('--per-device', '--device', 'toaster');
  assert.equal(status, 1);
  assert.match(stderr, /^vmsg: Unknown device 'toaster'; known devices: entropy, .*scmi\.\n$/);
  assert.match(size('--queues', '8').stderr, /^vmsg: --queues goes with --per-device\.\n$/);
  assert.match(size('--per-device', '--devices', '65').stderr, /^vmsg: --devices takes a number from 1 to 64, not '65'\.\n$/);
  assert.match(size('--device', 'gpio').stderr, /^vmsg: --device goes with --per-device\.\n$/);
  assert.match(size('--per-device', 'app.ts').stderr, /^vmsg: size --per-device makes its own apps: leave out the file\.\n$/);
  assert.match(size('--per-device', '--target', 'host-vhost-user', '--device', 'gpio').stderr, /^vmsg: Target 'host-vhost-user' has no driver side that a scene could run\.\n$/);
});
