// The AMP shared-memory layout as published: every byte, and the order in which the bytes appear.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake, layouts } from '../../../hal/fake/port.js';
import type { LayoutPlace } from '../../../hal/port.js';
import { retractLayout } from '../../../firmware/carriers/amp-shmem.js';
import { run, start } from '../../../firmware/main.js';
import { hex } from '../../support/bare-bus.js';
import { appWith, connectedTo, forget, started } from '../../support/fresh.js';
import { Peer } from '../../support/peer.js';
import { atBarriers } from '../../support/watch.js';

const GOLDEN = hex(
  '4f 4c 40 00 01 00 00 00 00 00 10 00 40 00 00 00 00 00 00 00 00 00 00 00 40 00 00 00 00 00 00 00 ' +
    '80 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 48 00 00 00 00 00 00 00 80 04 00 00 00 00 00 00',
);

test('the header of 16 elements is byte for byte the recorded one', () => {
  started([]);
  assert.deepEqual(new Peer().bytes(0, 64), GOLDEN);
});

test('other element counts change the count and the place of the driver\'s elements, nothing else', () => {
  [[2, 0x100], [3, 0x140], [64, 0x1080], [4096, 0x40080]].forEach(([elements, offset]) => {
    started([], { elements: elements ?? 0 });
    const expected = GOLDEN.slice();
    expected[10] = (elements ?? 0) & 255;
    expected[11] = (elements ?? 0) >> 8;
    [0, 8, 16].forEach((shift, at) => (expected[56 + at] = ((offset ?? 0) >> shift) & 255));
    assert.deepEqual(new Peer().bytes(0, 64), expected);
  });
});

test('fewer than 2 or more than 4096 elements, or more than fit the window, are refused', () => {
  [-1, 0, 1, 4097].forEach((elements) => assert.throws(() => start(appWith([], { elements })), /2 to 4096/));
});

test('the device\'s queue head begins in INIT with head and tail 0, the driver\'s is left empty', () => {
  started([]);
  assert.deepEqual(new Peer().device(), { magic: 0x514f, status: 0, tail: 0, head: 0 });
  assert.deepEqual(new Peer().driver(), { magic: 0, status: 0, tail: 0, head: 0 });
});

test('what lay there before is cleared, and nothing behind the layout is touched', () => {
  forget();
  fake.clear();
  fake.bytes[0]?.fill(0xff, 4096, 16384);
  start(appWith([]));
  const peer = new Peer();
  assert.deepEqual(peer.bytes(0, 64), GOLDEN);
  assert.deepEqual(peer.driver(), { magic: 0, status: 0, tail: 0, head: 0 });
  assert.ok(peer.bytes(80, 48 + 2 * 16 * 64).every((byte) => byte === 0));
  assert.ok(peer.behind(512).every((byte) => byte === 0xff));
});

test('the layout magic is withdrawn first and written last, each behind a barrier', () => {
  forget();
  fake.clear();
  fake.bytes[0]?.set(GOLDEN, 4096);
  const peer = new Peer(4);
  const seen: { magic: boolean; rest: boolean }[] = [];
  const expected = GOLDEN.slice();
  expected[10] = 4;
  expected.splice(56, 2, 0x80, 0x01);
  const stop = atBarriers(() => {
    seen.push({
      magic: peer.bytes(0, 2).join() === '79,76',
      rest: peer.bytes(2, 62).join() === expected.slice(2).join() && peer.device().magic === 0x514f,
    });
  });
  start(appWith([], { elements: 4 }));
  stop();
  assert.ok(seen.length >= 2);
  assert.ok(seen.every(({ magic }) => !magic), 'no barrier passes while the magic stands over an unfinished header');
  assert.ok(seen.at(-1)?.rest, 'all the rest stands before the last barrier');
  assert.deepEqual(peer.bytes(0, 64), expected);
});

test('no doorbell rings for a layout nobody has looked at', () => {
  started([]);
  assert.equal(new Peer().rings(), 0);
});

test('a layout taken back shows no magic and INIT, and its tail and head stay: a running driver finds nothing new', () => {
  const bus = connectedTo([]);
  bus.busRequest('PING', 3, [1, 2, 3, 4]);
  const before = new Peer().device();
  assert.deepEqual(before, { magic: 0x514f, status: 2, tail: 1, head: 1 });
  retractLayout(0, layouts[0] as LayoutPlace);
  assert.deepEqual(new Peer().bytes(0, 2), [0, 0]);
  assert.deepEqual(new Peer().device(), { ...before, status: 0 });
  assert.equal(bus.take(), undefined);
});

test('the loop ends when the port says stop, and every layout is taken back', () => {
  run(appWith([]));
  assert.deepEqual(new Peer().bytes(0, 2), [0, 0]);
  assert.equal(new Peer().bytes(4, 2)[0], 1, 'the rest of the header stays');
});
