// The runner's own tests: a device with one planted fault must be reported, with the fault in the reason.
import assert from 'node:assert/strict';
import test from 'node:test';
import { AmpBus } from '../support/driver/amp-bus.js';
import { hostMachine } from '../support/host-driver.js';
import { fake } from '../../hal/fake/port.js';
import { cases } from './cases/index.js';
import { requirements } from './requirements.js';
import type { Runner } from './runner/runner.js';
import type { Case } from './runner/vocabulary.js';
import { alive, ask, bringUp, kick, offer, send, silence, used } from './runner/vocabulary.js';
import { sourcesRunner } from './sources.js';

const PROFILE_A = { profile: 'A', strict: true } as const;

/** Changes a frame that the device sends, or drops it (undefined), or doubles it. */
type Spoil = (frame: number[]) => number[][];

/** A carrier that spoils the device's frames from some moment on. */
class SpoiltBus extends AmpBus {
  spoil: Spoil = (frame) => [frame];
  private readonly waiting: number[][] = [];

  override take(): number[] | undefined {
    while (this.waiting.length === 0) {
      const frame = super.take();
      if (frame === undefined) {
        return undefined;
      }
      this.waiting.push(...this.spoil(frame));
    }
    return this.waiting.shift();
  }
}

function spoilt(spoil: Spoil): Runner {
  const bus = new SpoiltBus(hostMachine);
  const runner = sourcesRunner(PROFILE_A, bus);
  bus.spoil = spoil;
  return runner;
}

const GET_DEVICE_INFO = 0x02;
const GET_DEVICE_STATUS = 0x07;
const GET_VQUEUE = 0x09;
const EVENT_USED = 0x42;

/** Spoils only transport messages with this id. */
function only(id: number, change: (frame: number[]) => void): Spoil {
  return (frame) => {
    if (frame[1] === id && ((frame[0] ?? 0) & 2) === 0) {
      change(frame);
    }
    return [frame];
  };
}

const status: Case = { proves: ['R-140'], title: 'status', steps: [alive(0)] };
const info: Case = { proves: ['R-080'], title: 'info', steps: [ask('GET_DEVICE_INFO', {}, { device_id: 'deviceId', config_size: 'configSize' })] };
const queue: Case = { proves: ['R-221'], title: 'queue', steps: [ask('GET_VQUEUE', { index: 0 }, { max_size: 'queueSize' })] };
const buffer: Case = {
  proves: ['R-260'],
  title: 'buffer',
  steps: [bringUp('running', [0]), offer(0, [[{ read: [1, 2] }, { write: 16 }]]), kick(0), used(0, 16, 'fill'), { do: 'event', message: 'EVENT_USED', fields: { vq_index: 0 }, how: {} }],
};

const faults: readonly { readonly name: string; readonly case: Case; readonly spoil: Spoil; readonly reason: RegExp }[] = [
  { name: 'a field with a wrong value', case: info, spoil: only(GET_DEVICE_INFO, (frame) => (frame[8] = 5)), reason: /device_id of GET_DEVICE_INFO is .*, not 65000/ },
  { name: 'a reserved type bit', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[0] = 5)), reason: /reserved type bits/ },
  { name: 'another token', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[4] = (frame[4] ?? 0) ^ 1)), reason: /token/ },
  { name: 'another device number', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[2] = 9)), reason: /device number 9, not 1/ },
  { name: 'another id', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[1] = 8)), reason: /the answer is SET_DEVICE_STATUS/ },
  { name: 'an id no device may send', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[1] = 0x41)), reason: /sent what it may not/ },
  { name: 'a msg_size rounded up', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[6] = 16)), reason: /8 payload bytes, 4 too many/ },
  { name: 'a msg_size too small', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[6] = 10)), reason: /2 payload bytes, too few/ },
  { name: 'a msg_size above the maximum', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[7] = 1)), reason: /msg_size of GET_DEVICE_STATUS is 268/ },
  { name: 'a byte left behind the message', case: status, spoil: only(GET_DEVICE_STATUS, (frame) => (frame[63] = 1)), reason: /byte 63 behind GET_DEVICE_STATUS of 12 bytes is 1/ },
  { name: 'a reserved field', case: queue, spoil: only(GET_VQUEUE, (frame) => (frame[20] = 1)), reason: /reserved of GET_VQUEUE is not 0/ },
  { name: 'no answer', case: status, spoil: (frame) => (frame[1] === GET_DEVICE_STATUS ? [] : [frame]), reason: /did not come: answer to GET_DEVICE_STATUS/ },
  { name: 'an answer twice', case: status, spoil: (frame) => (frame[1] === GET_DEVICE_STATUS ? [frame, frame.slice()] : [frame]), reason: /an answer to nothing: GET_DEVICE_STATUS/ },
  { name: 'an event with a token', case: buffer, spoil: only(EVENT_USED, (frame) => (frame[4] = 1)), reason: /EVENT_USED came with token 1/ },
  { name: 'an event as response', case: buffer, spoil: only(EVENT_USED, (frame) => (frame[0] = 1)), reason: /EVENT_USED came as a response/ },
  { name: 'an event for another queue', case: buffer, spoil: only(EVENT_USED, (frame) => (frame[8] = 1)), reason: /vq_index of EVENT_USED is 1, not 0/ },
  { name: 'a lost event', case: buffer, spoil: (frame) => (frame[1] === EVENT_USED ? [] : [frame]), reason: /did not come: EVENT_USED of device 1/ },
  { name: 'an event twice', case: buffer, spoil: (frame) => (frame[1] === EVENT_USED ? [frame, frame.slice()] : [frame]), reason: /an event that nobody expects: EVENT_USED/ },
];

faults.forEach((fault) => {
  test(`a planted fault is reported: ${fault.name}`, () => {
    const verdict = spoilt(fault.spoil).run(fault.case);
    assert.ok(verdict.run && !verdict.passed);
    assert.match(verdict.reason, fault.reason);
  });
});

test('the same cases pass without a fault, also right after one that failed', () => {
  const runner = spoilt((frame) => [frame]);
  assert.equal(runner.run({ proves: ['R-140'], title: 'wrong', steps: [alive(77)] }).passed, false);
  [status, info, queue, buffer].forEach((one) => assert.deepEqual(runner.run(one), { passed: true, run: true, reason: '' }));
});

test('an answer where silence belongs is reported', () => {
  const verdict = sourcesRunner(PROFILE_A).run({ proves: ['R-015'], title: 'silence', steps: [send('GET_DEVICE_STATUS'), silence()] });
  assert.match(verdict.reason, /step 2 \(silence\): it is answered: GET_DEVICE_STATUS/);
});

/** Runs the buffer case while memory changes behind the device's back at the moment of its EVENT_USED. */
function withMemoryFault(change: (bytes: Uint8Array) => void): string {
  const runner = spoilt(
    only(EVENT_USED, () => {
      const bytes = fake.bytes[0];
      assert.ok(bytes !== undefined);
      change(bytes);
    }),
  );
  return runner.run(buffer).reason;
}

/** Where the runner puts things: ring 0 and the first buffer's elements. */
const RING = 0x20000;
const READABLE = 0x30000 + 16;
const WRITABLE = READABLE + 48;

test('memory the device must not touch is watched: descriptors, readable buffers, guards; used lengths are compared', () => {
  assert.match(withMemoryFault((bytes) => (bytes[RING + 12] = 7)), /descriptors or the available ring of queue 0/);
  assert.match(withMemoryFault((bytes) => (bytes[READABLE] = 9)), /a buffer of queue 0 that it may only read/);
  assert.match(withMemoryFault((bytes) => (bytes[WRITABLE + 16] = 9)), /beside a buffer of queue 0/);
  assert.equal(withMemoryFault(() => undefined), '');
  const late = spoilt((frame) => [frame]);
  const wrongLength: Case = { ...buffer, steps: buffer.steps.map((step) => (step.do === 'used' ? { ...step, written: 15 } : step)) };
  assert.match(late.run(wrongLength).reason, /used length is 16, not 15/);
});

test('a case whose needs the device does not have is not run, and says why', () => {
  const runner = sourcesRunner(PROFILE_A);
  const verdict = runner.run({ proves: ['R-001'], title: 'x', needs: ['serves', 'offers:34'], steps: [] });
  assert.deepEqual(verdict, { passed: false, run: false, reason: 'the device has no offers:34' });
  assert.match(runner.run({ proves: ['R-001'], title: 'x', profiles: 'B', steps: [] }).reason, /not for profile A/);
});

test('a case that misspells a field, a message or a fact fails by itself', () => {
  const runner = sourcesRunner(PROFILE_A);
  const reason = (...steps: Case['steps']): string => runner.run({ proves: [], title: 'x', steps }).reason;
  assert.match(reason(ask('GET_DEVICE_STATUS', { stauts: 1 })), /GET_DEVICE_STATUS has no field stauts/);
  assert.match(reason(ask('GET_DEVICE_STATUS', {}, { stauts: 1 })), /GET_DEVICE_STATUS has no field stauts/);
  assert.match(reason(ask('GET_STATUS')), /no message is called GET_STATUS/);
  assert.match(reason(ask('GET_VQUEUE', { index: 'qeue' })), /no fact is called qeue/);
});

test('every case proves requirements that exist, in a profile they bind, and titles are unique', () => {
  const known = new Map(requirements.map((one) => [one.id, one]));
  const titles = new Set<string>();
  cases.forEach((one) => {
    assert.ok(one.proves.length > 0 && one.steps.length > 0, one.title);
    assert.ok(!titles.has(one.title), `twice: ${one.title}`);
    titles.add(one.title);
    one.proves.forEach((id) => {
      const requirement = known.get(id);
      assert.ok(requirement !== undefined && requirement.notApplicable === undefined, `${id} in '${one.title}'`);
      assert.ok([...(one.profiles ?? 'ABC')].some((profile) => requirement.profiles.includes(profile)), `${id} does not bind profile ${one.profiles} of '${one.title}'`);
    });
  });
});

test('requirements have unique numbers in ascending order and a sentence each', () => {
  requirements.forEach((one, index) => {
    assert.match(one.id, /^(R-\d{3}|S-\d{2})$/);
    assert.match(one.text, /^\S.*\.$/);
    assert.match(one.profiles, /^(A?B?C?)$/);
    assert.ok(index === 0 || one.id > (requirements[index - 1]?.id ?? ''), one.id);
  });
});
