// The vhost-user carrier with a front side that breaks the rules: each message is refused with its reason, and nothing else happens.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fake } from '../../../../hal/fake/port.js';
import { fakeVhostUser } from '../../../../hal/fake/vhost-user.js';
import { entropy, input } from '../../../../firmware/main.js';
import { testDevice } from '../../../support/test-device.js';
import { SplitQueue } from '../../../support/driver/split-queue.js';
import {
  begin, connectedFront, guestMachine, message, oneRegion, readU64, refusals, request, send, settle, startRing, tablePayload, u32, u64, VERSION_1,
} from '../../../support/vhost-front.js';

const device = entropy({ number: 1, queueSize: 64 });
const page = 4096n;

/** Reasons as wire/vhost-user.ts numbers them. */
const reason = {
  flags: 1, size: 2, request: 3, descriptors: 4, ring: 5, entries: 6, features: 7, notAgreed: 8, address: 9, regions: 10, shape: 11, space: 12, map: 13,
  base: 14, config: 15, running: 16, polling: 17, inflight: 18,
};

interface Bad {
  readonly what: string;
  readonly id: number;
  readonly payload: readonly number[];
  readonly descriptors?: readonly number[];
  readonly flags?: number;
  readonly because: number;
}

/** Ring 0, of eight entries, started. */
function startedQueue(): SplitQueue {
  const queue = new SplitQueue(guestMachine, 0x1000, 8);
  startRing({ size: 8, areas: [queue.descriptors, queue.available, queue.used] });
  return queue;
}

/** Bytes that the device wrote into a buffer of 64; undefined when it gave none back. */
function filled(queue: SplitQueue): number | undefined {
  queue.add([{ offset: 0x80000, bytes: 64, writable: true }]);
  queue.publish();
  fakeVhostUser.kicked.push(0);
  settle();
  return queue.take()?.written;
}

const state = (ring: number, value: number): number[] => [...u32(ring), ...u32(value)];
const table = (...regions: Partial<typeof oneRegion>[]): number[] => tablePayload(regions.map((region) => ({ ...oneRegion, ...region })));

const bad: readonly Bad[] = [
  { what: 'version 0', id: request.GET_FEATURES, payload: [], flags: 0, because: reason.flags },
  { what: 'version 2', id: request.GET_FEATURES, payload: [], flags: 2, because: reason.flags },
  { what: 'a reply', id: request.GET_FEATURES, payload: [], flags: 5, because: reason.flags },
  { what: 'request 0', id: 0, payload: [], because: reason.request },
  { what: 'SET_LOG_BASE, which was not offered', id: 6, payload: u64(0n), because: reason.request },
  { what: 'request 4095', id: 4095, payload: [], because: reason.request },
  { what: 'a request above 65535', id: 65537, payload: [], because: reason.request },
  { what: 'a payload where there is none', id: request.GET_FEATURES, payload: [0], because: reason.size },
  { what: 'a short mask', id: request.SET_FEATURES, payload: [0, 0, 0, 0], because: reason.size },
  { what: 'a long ring state', id: request.SET_VRING_NUM, payload: [...state(0, 8), 0], because: reason.size },
  { what: 'short addresses', id: request.SET_VRING_ADDR, payload: state(0, 0), because: reason.size },
  { what: 'more than is taken', id: request.SET_CONFIG, payload: new Array<number>(2000).fill(0), because: reason.size },
  { what: 'a descriptor with GET_FEATURES', id: request.GET_FEATURES, payload: [], descriptors: [3], because: reason.descriptors },
  { what: 'nine descriptors', id: request.SET_MEM_TABLE, payload: table({}), descriptors: [1, 2, 3, 4, 5, 6, 7, 8, 9], because: reason.descriptors },
  { what: 'a kick without its descriptor', id: request.SET_VRING_KICK, payload: u64(0n), because: reason.descriptors },
  { what: 'a call with two descriptors', id: request.SET_VRING_CALL, payload: u64(0n), descriptors: [1, 2], because: reason.descriptors },
  { what: 'a descriptor that is said to be none', id: request.SET_VRING_CALL, payload: u64(256n), descriptors: [1], because: reason.descriptors },
  { what: 'a ring to be polled', id: request.SET_VRING_KICK, payload: u64(256n), because: reason.polling },
  { what: 'a kick for ring 1 of 1', id: request.SET_VRING_KICK, payload: u64(1n), descriptors: [1], because: reason.ring },
  { what: 'ring 1 of 1', id: request.SET_VRING_NUM, payload: state(1, 8), because: reason.ring },
  { what: 'ring 65536', id: request.GET_VRING_BASE, payload: state(65536, 0), because: reason.ring },
  { what: 'ring 2^32 - 1', id: request.SET_VRING_ENABLE, payload: state(0xffffffff, 1), because: reason.ring },
  { what: 'no entries', id: request.SET_VRING_NUM, payload: state(0, 0), because: reason.entries },
  { what: '65536 entries', id: request.SET_VRING_NUM, payload: state(0, 65536), because: reason.entries },
  { what: 'a feature that was not offered', id: request.SET_FEATURES, payload: u64(VERSION_1 | 1n), because: reason.features },
  { what: 'a protocol feature that was not offered', id: request.SET_PROTOCOL_FEATURES, payload: u64(1n << 11n), because: reason.features },
  { what: 'protocol feature 63', id: request.SET_PROTOCOL_FEATURES, payload: u64(1n << 63n), because: reason.features },
  { what: 'a split ring\'s base above 65535', id: request.SET_VRING_BASE, payload: state(0, 65536), because: reason.base },
  { what: 'no regions', id: request.SET_MEM_TABLE, payload: tablePayload([]), because: reason.regions },
  { what: 'nine regions', id: request.SET_MEM_TABLE, payload: tablePayload(new Array<typeof oneRegion>(9).fill(oneRegion)), because: reason.regions },
  { what: '2^31 regions', id: request.SET_MEM_TABLE, payload: [...u32(0x80000000), ...u32(0)], because: reason.regions },
  { what: 'fewer regions than the count says', id: request.SET_MEM_TABLE, payload: [...u32(2), ...u32(0), ...table({}).slice(8)], descriptors: [1, 2], because: reason.size },
  { what: 'a table without its count', id: request.SET_MEM_TABLE, payload: [1, 0, 0, 0], because: reason.size },
  { what: 'a region without its descriptor', id: request.SET_MEM_TABLE, payload: table({}), because: reason.descriptors },
  { what: 'an empty region', id: request.SET_MEM_TABLE, payload: table({ bytes: 0n }), descriptors: [1], because: reason.shape },
  { what: 'half a page', id: request.SET_MEM_TABLE, payload: table({ bytes: 2048n }), descriptors: [1], because: reason.shape },
  { what: 'a region off a page', id: request.SET_MEM_TABLE, payload: table({ guest: 16n }), descriptors: [1], because: reason.shape },
  { what: 'a file offset off a page', id: request.SET_MEM_TABLE, payload: table({ file: 1n }), descriptors: [1], because: reason.shape },
  { what: 'guest memory beyond 512 GiB', id: request.SET_MEM_TABLE, payload: table({ guest: 1n << 39n }), descriptors: [1], because: reason.shape },
  { what: 'guest memory that ends beyond 512 GiB', id: request.SET_MEM_TABLE, payload: table({ guest: (1n << 39n) - page }), descriptors: [1], because: reason.shape },
  { what: 'a size of 2^63', id: request.SET_MEM_TABLE, payload: table({ bytes: 1n << 63n }), descriptors: [1], because: reason.shape },
  { what: 'a user address that wraps', id: request.SET_MEM_TABLE, payload: table({ user: (1n << 64n) - page }), descriptors: [1], because: reason.shape },
  { what: 'more guest memory than windows', id: request.SET_MEM_TABLE, payload: table({ bytes: 481n * page }), descriptors: [1], because: reason.space },
  { what: 'a file that cannot be mapped', id: request.SET_MEM_TABLE, payload: table({}), descriptors: [66], because: reason.map },
  { what: 'a second region that cannot be mapped', id: request.SET_MEM_TABLE, payload: table({ bytes: page }, { bytes: page, guest: 0x100000n }), descriptors: [1, 66], because: reason.map },
  { what: 'GET_CONFIG of 257 bytes', id: request.GET_CONFIG, payload: [...u32(0), ...u32(257), ...u32(0), ...new Array<number>(257).fill(0)], because: reason.config },
  { what: 'GET_CONFIG of another size than its payload', id: request.GET_CONFIG, payload: [...u32(0), ...u32(8), ...u32(0)], because: reason.size },
  { what: 'SET_CONFIG of a device without configuration', id: request.SET_CONFIG, payload: [...u32(0), ...u32(1), ...u32(0), 1], because: reason.config },
];

for (const { what, id, payload, descriptors = [], flags = 1, because } of bad) {
  test(`refused: ${what}`, () => {
    connectedFront(device);
    fakeVhostUser.unmappable.add(66);
    const answer = send(id, payload, descriptors, flags);
    assert.deepEqual(refusals(), [[id & 4095, because]]);
    // Nobody asked for an answer: the connection ends, except after a GET_CONFIG, which has its own way to fail.
    if (id === request.GET_CONFIG) {
      assert.equal(answer?.length, 12);
    } else {
      assert.equal(answer, undefined);
      assert.equal(fakeVhostUser.state, 0);
    }
    assert.equal(fakeVhostUser.mapped.size, 0);
    assert.ok(fake.guardsIntact());
  });
}

test('refused while a ring runs: another size, another base, other features', () => {
  connectedFront(device, [28]);
  begin(VERSION_1);
  send(request.SET_PROTOCOL_FEATURES, u64(8n));
  const queue = startedQueue();
  for (const [id, payload] of [[request.SET_VRING_NUM, state(0, 4)], [request.SET_VRING_BASE, state(0, 4)], [request.SET_FEATURES, u64(VERSION_1 | (1n << 28n))]] as const) {
    assert.equal(readU64(send(id, payload, [], 9) ?? []), 1n);
  }
  assert.deepEqual(refusals().map(([, because]) => because), [reason.running, reason.running, reason.running]);
  assert.equal(filled(queue), 64);
});

test('a ring does not start without VERSION_1, with more entries than the device has, a split one not with 12, or outside guest memory', () => {
  const areas = [0x1000, 0x2000, 0x3000];
  connectedFront(device);
  begin(0n);
  startRing({ size: 8, areas });
  assert.deepEqual(refusals(), [[request.SET_VRING_KICK, reason.notAgreed]]);
  connectedFront(device);
  begin(VERSION_1);
  startRing({ size: 128, areas });
  assert.deepEqual(refusals(), [[request.SET_VRING_KICK, reason.address]]);
  connectedFront(device);
  begin(VERSION_1);
  startRing({ size: 12, areas });
  assert.deepEqual(refusals(), [[request.SET_VRING_KICK, reason.address]]);
  connectedFront(device);
  begin(VERSION_1);
  startRing({ size: 8, areas: [0x1000, 0x2000, 1048576 - 8] });
  assert.deepEqual(refusals(), [[request.SET_VRING_KICK, reason.address]]);
});

test('a packed ring\'s base beyond its entries is refused', () => {
  connectedFront(device, [34]);
  begin(VERSION_1 | (1n << 34n));
  startRing({ size: 8, base: 0x00080008, areas: [0x1000, 0x2000, 0x3000] });
  assert.deepEqual(refusals(), [[request.SET_VRING_KICK, reason.base]]);
});

test('of two regions for the same guest memory the first one is meant, by rings and buffers', () => {
  connectedFront(device);
  begin(VERSION_1);
  send(request.SET_MEM_TABLE, tablePayload([oneRegion, { ...oneRegion, user: oneRegion.user + 0x40000000n }]), [9, 10]);
  assert.deepEqual(refusals(), []);
  assert.equal(filled(startedQueue()), 64);
  assert.ok(fake.guardsIntact());
});

test('guest memory that is taken away while a ring runs leaves no ring', () => {
  connectedFront(device);
  begin(VERSION_1);
  const queue = startedQueue();
  send(request.SET_MEM_TABLE, tablePayload([{ ...oneRegion, guest: 0x10000000n, user: 0x1000n }]), [9]);
  assert.deepEqual(refusals(), [[request.SET_MEM_TABLE, reason.address]]);
  fakeVhostUser.kicked.push(0);
  settle();
  assert.equal(queue.take(), undefined);
});

test('SET_CONFIG hands the device what differs, all of it or nothing', () => {
  const writes: number[][] = [];
  const made = testDevice({ number: 1, config: [1, 2, 3, 4, 5, 6, 7, 8, 9], writable: [2, 5], onConfig: (_row, offset, length) => writes.push([offset, length]) });
  connectedFront(made.model);
  send(request.SET_PROTOCOL_FEATURES, u64((1n << 9n) | 8n));
  const write = (...bytes: number[]): bigint => readU64(send(request.SET_CONFIG, [...u32(0), ...u32(9), ...u32(0), ...bytes], [], 9) ?? []);
  const read = (): number[] => (send(request.GET_CONFIG, [...u32(0), ...u32(12), ...u32(0), ...new Array<number>(12).fill(0)]) ?? []).slice(24);
  assert.deepEqual(read(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0]);
  assert.equal(write(1, 2, 3, 99, 5, 6, 7, 8, 9), 0n);
  assert.equal(write(1, 2, 33, 99, 55, 6, 7, 8, 9), 0n);
  assert.equal(write(1, 2, 33, 99, 55, 6, 7, 8, 9), 0n);
  assert.deepEqual(writes, [[3, 1], [2, 3]]);
  assert.equal(write(1, 2, 1, 1, 1, 1, 7, 8, 9), 1n);
  assert.deepEqual(read(), [1, 2, 33, 99, 55, 6, 7, 8, 9, 0, 0, 0]);
});

test('SET_CONFIG of a copy that is older than the device\'s own change hands on what the driver changed', () => {
  // An input device answers what is written to select (byte 0) and subsel (byte 1) by size (byte 2) and data (from byte 8 on).
  connectedFront(input({ number: 1, name: 'keys', events: [{ type: 1, codes: [30, 48] }] }));
  send(request.SET_PROTOCOL_FEATURES, u64((1n << 9n) | 8n));
  const [bytes, header] = [136, [...u32(0), ...u32(136), ...u32(0)]];
  const read = (): number[] => (send(request.GET_CONFIG, [...header, ...new Array<number>(bytes).fill(0)]) ?? []).slice(24);
  const copy = read();
  const write = (at: number, value: number): void => {
    copy[at] = value;
    assert.equal(readU64(send(request.SET_CONFIG, [...header, ...copy], [], 9) ?? []), 0n, `byte ${at}`);
  };
  // The name, and then the keys, without a look at what has changed meanwhile.
  write(0, 1);
  write(0, 0x11);
  write(1, 1);
  const shown = read();
  assert.deepEqual(shown.slice(0, 3), [0x11, 1, 7]);
});

test('features that the process withholds are neither offered nor taken', () => {
  connectedFront(device, [28, 29, 34]);
  fakeVhostUser.withheld = [0, 1 << 12, 1 << 2, 0];
  assert.equal(readU64(send(request.GET_FEATURES, []) ?? []), (1n << 29n) | (1n << 30n) | (1n << 32n));
  send(request.SET_FEATURES, u64(VERSION_1 | (1n << 34n)));
  assert.deepEqual(refusals(), [[request.SET_FEATURES, reason.features]]);
});

test('property: whatever a front side sends, nothing throws, nothing outside the windows changes, and the next one is served', () => {
  const word = fc.oneof(fc.constantFrom(0, 1, 2, 8, 256, 4096, 65536, 0x7fffffff, 0xffffffff), fc.nat(300));
  const one = fc.record({
    id: fc.oneof(fc.constantFrom(...Object.values(request)), fc.nat(70)),
    flags: fc.constantFrom(1, 1, 1, 9, 0, 5),
    words: fc.array(word, { maxLength: 20 }),
    descriptors: fc.array(fc.nat(90), { maxLength: 9 }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 25 }), (messages) => {
      connectedFront(device, [28, 29, 34]);
      begin(VERSION_1);
      for (const { id, flags, words, descriptors } of messages) {
        fakeVhostUser.state = 1;
        fakeVhostUser.send(message(id, words.flatMap(u32), flags), descriptors);
        fakeVhostUser.kicked.push(0);
        settle();
      }
      assert.ok(fake.guardsIntact());
      fakeVhostUser.hangUp();
      settle();
      fakeVhostUser.state = 1;
      begin(VERSION_1);
      assert.equal(filled(startedQueue()), 64);
    }),
    { numRuns: 150 },
  );
});
