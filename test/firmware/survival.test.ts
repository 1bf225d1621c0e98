// What was seen to break a Linux driver, one test a rule: the firmware never does it, and the judge notices when it is done.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fake } from '../../hal/fake/port.js';
import { configChanged, plug, Removal, unplug } from '../../firmware/device.hot.js';
import { pass } from '../../firmware/loop.hot.js';
import { AmpBus } from '../support/driver/amp-bus.js';
import { encode, le16, le32, read16, read32 } from '../support/driver/message.js';
import { SplitQueue } from '../support/driver/split-queue.js';
import { started } from '../support/fresh.js';
import { hostMachine } from '../support/host-driver.js';
import { Rule, LinuxDriver, type Generation, type RuleWords } from '../support/linux-driver.js';
import { testDevice } from '../support/test-device.js';

const RING = 0x10000;
const BUFFER = 0x40000;
const QUEUE_SIZE = 8;
const CONFIG = [1, 2, 3, 4, 5, 6, 7, 8];
const SECOND = 1000000;
const NUMBERS = { first: 1, second: 5, third: 6 };
const profiles = { gen2: 'A', gen3: 'C' } as const;

type Tamper = (frame: number[]) => number[][];

/** A driver side that lives through everything a Linux driver was seen to do; returns the judge, and whether all requests came back. */
function live(generation: Generation, tamper: Tamper = (frame) => [frame]): { driver: LinuxDriver; completed: boolean } {
  const device = testDevice({ number: NUMBERS.first, config: CONFIG, writable: [0, 8], queueSizes: [QUEUE_SIZE, QUEUE_SIZE] });
  const spares = [NUMBERS.second, NUMBERS.third].map((number) => testDevice({ number, config: [9] }));
  started([device.model, ...spares.map(({ model }) => ({ ...model, absent: true }))], { profile: profiles[generation], ringFeatures: [40] });
  const driver = new LinuxDriver(new AmpBus(hostMachine, profiles[generation]), generation, () => fake.rings[0] ?? 0);
  driver.tamper = tamper;
  driver.connect();
  assert.deepEqual(driver.discover(), [NUMBERS.first]);

  let completed = true;
  const bind = (number: number, queues: number): SplitQueue[] => {
    driver.begin(number);
    const made = Array.from({ length: queues }, (_, index) => {
      const queue = new SplitQueue(hostMachine, RING + index * 0x1000, QUEUE_SIZE);
      driver.setQueue(number, index, QUEUE_SIZE, queue.areas());
      return queue;
    });
    driver.readConfig(number, 0, 1);
    driver.start(number);
    return made;
  };
  const transfer = (number: number, index: number, queue: SplitQueue): void => {
    queue.add([{ offset: BUFFER, bytes: 4, writable: false }, { offset: BUFFER + 64, bytes: 4, writable: true }]);
    queue.publish();
    driver.kick(number, index);
    driver.wait(4);
    completed = queue.take()?.written === 4 && completed;
  };

  const queues = bind(NUMBERS.first, 2);
  queues.forEach((queue, index) => transfer(NUMBERS.first, index, queue));
  driver.readConfig(NUMBERS.first, 2, 4);
  driver.writeConfig(NUMBERS.first, 0, [[11, 12], [13]]);
  configChanged(device.row, 2, 3);
  driver.wait(4);
  if (generation === 'gen3') {
    driver.resetQueue(NUMBERS.first, 1);
  }

  // Two devices come at once: the second is announced when the first has been looked at.
  spares.forEach(({ row }, at) => assert.ok(plug(row, at === 0 ? NUMBERS.second : NUMBERS.third)));
  driver.wait(4);
  bind(NUMBERS.second, 1);
  driver.wait(4);
  bind(NUMBERS.third, 1);
  assert.ok(unplug(spares[0]?.row ?? -1, Removal.Gone));
  driver.wait(4);
  driver.takeLeave(NUMBERS.second, 1);
  assert.ok(!plug(spares[0]?.row ?? -1, NUMBERS.second), 'a number is not used again soon');
  driver.wait(4);

  driver.unbind(NUMBERS.first, 2);
  if (generation === 'gen3') {
    // Its transport is dead until the device is announced anew; a new probe is as good.
    driver.wait(4);
  }
  transfer(NUMBERS.first, 0, bind(NUMBERS.first, 2)[0] as SplitQueue);
  driver.bus.shutdown();
  assert.ok(fake.guardsIntact());
  return { driver, completed };
}

(['gen2', 'gen3'] as const).forEach((generation) => {
  test(`${generation}: a whole life breaks no survival rule`, () => {
    const { driver, completed } = live(generation);
    assert.deepEqual([...driver.breaches], []);
    assert.ok(completed, 'every request came back');
  });
});

/** True for a response to transport message `id` of `device`. */
function isAnswer(frame: readonly number[], id: number, device: number = NUMBERS.first): boolean {
  return frame[0] === 1 && frame[1] === id && read16(frame, 2) === device;
}

function isEvent(frame: readonly number[], type: number, id: number): boolean {
  return frame[0] === type && frame[1] === id;
}

/** The frame with some bytes replaced. */
function changed(frame: readonly number[], at: number, bytes: readonly number[]): number[] {
  return frame.map((byte, index) => bytes[index - at] ?? byte);
}

function padded(bytes: readonly number[]): number[] {
  return bytes.concat(new Array<number>(64 - bytes.length).fill(0));
}

function used(device: number, index: number): number[] {
  return padded(encode({ type: 0, id: 0x42, device, token: 0, payload: le32(index) }));
}

function state(number: number, value: number): number[] {
  return padded(encode({ type: 2, id: 0x40, device: 0, token: 0, payload: le16(number).concat(le16(value)) }));
}

/** Does `change` to every frame that `which` picks. */
function on(which: (frame: readonly number[]) => boolean, change: (frame: number[]) => number[][]): () => Tamper {
  return () => (frame) => (which(frame) ? change(frame) : [frame]);
}

const answerTo = (id: number) => (frame: readonly number[]): boolean => isAnswer(frame, id);

interface Planted {
  readonly rule: RuleWords;
  /** Whom it breaks. */
  readonly generations: readonly Generation[];
  /** Makes a device side that does it out of one that does not. */
  readonly tamper: () => Tamper;
}

const both: readonly Generation[] = ['gen2', 'gen3'];
const HEADER = 8;

const planted: readonly Planted[] = [
  { rule: Rule.EarlyUsed, generations: both, tamper: on(answerTo(2), (frame) => [used(NUMBERS.first, 0), frame]) },
  { rule: Rule.UnknownQueueUsed, generations: both, tamper: on((frame) => isEvent(frame, 0, 0x42), (frame) => [frame, used(NUMBERS.first, 7)]) },
  { rule: Rule.Twice, generations: both, tamper: on(answerTo(7), (frame) => [frame, frame]) },
  { rule: Rule.AnotherFirst, generations: both, tamper: on(answerTo(7), (frame) => [changed(frame, HEADER, [0x80]), frame]) },
  { rule: Rule.WrongHeader, generations: both, tamper: on(answerTo(7), (frame) => [changed(frame, 2, [9]), frame]) },
  { rule: Rule.WrongToken, generations: both, tamper: on(answerTo(7), (frame) => [changed(frame, 4, le16(read16(frame, 4) + 1)), frame]) },
  { rule: Rule.NoPayload, generations: both, tamper: on(answerTo(2), (frame) => [changed(frame, 6, [8])]) },
  { rule: Rule.WrongSize, generations: both, tamper: on(answerTo(9), (frame) => [changed(frame, 6, [40])]) },
  { rule: Rule.FeatureBits, generations: ['gen2'], tamper: on(answerTo(2), (frame) => [changed(frame, HEADER + 8, [96])]) },
  { rule: Rule.FeatureBits, generations: ['gen3'], tamper: on(answerTo(2), (frame) => [changed(frame, HEADER + 24, [5])]) },
  { rule: Rule.DevicesEcho, generations: ['gen2'], tamper: on((frame) => isEvent(frame, 3, 2), (frame) => [changed(frame, HEADER + 2, [64])]) },
  { rule: Rule.NoDeviceId, generations: both, tamper: on(answerTo(2), (frame) => [changed(frame, HEADER, [0, 0])]) },
  { rule: Rule.ConfigEcho, generations: both, tamper: on(answerTo(5), (frame) => [changed(frame, HEADER + 4, [1])]) },
  { rule: Rule.ConfigRejected, generations: both, tamper: on(answerTo(6), (frame) => [changed(frame, HEADER + 8, [0])]) },
  { rule: Rule.WriteAdvances, generations: ['gen2'], tamper: on(answerTo(6), (frame) => [changed(frame, HEADER, [(frame[HEADER] ?? 0) + 1])]) },
  { rule: Rule.ConfigEvent, generations: both, tamper: on((frame) => isEvent(frame, 0, 0x40), (frame) => [changed(frame, 6, [(frame[6] ?? 0) + 1])]) },
  { rule: Rule.ConfigEvent, generations: both, tamper: on((frame) => isEvent(frame, 0, 0x40), (frame) => [changed(frame, HEADER + 8, [6])]) },
  { rule: Rule.LongUsed, generations: both, tamper: on((frame) => isEvent(frame, 0, 0x42), (frame) => [changed(frame, 6, [16])]) },
  { rule: Rule.QueueFlags, generations: ['gen3'], tamper: on(answerTo(9), (frame) => [changed(frame, HEADER + 12, [3])]) },
  { rule: Rule.QueueFlags, generations: ['gen3'], tamper: on(answerTo(9), (frame) => [changed(frame, HEADER + 24, [0, 0, 0, 0, 0, 0, 0, 0])]) },
  { rule: Rule.QueueIndex, generations: ['gen2'], tamper: on(answerTo(2), (frame) => [changed(frame, HEADER + 16, [1])]) },
  { rule: Rule.QueueIndex, generations: ['gen3'], tamper: on(answerTo(2), (frame) => [changed(frame, HEADER + 32, [1])]) },
  { rule: Rule.QueueMaximum, generations: both, tamper: on(answerTo(9), (frame) => [changed(frame, HEADER + 4, [6])]) },
  { rule: Rule.NotEnabled, generations: ['gen3'], tamper: on(answerTo(9), (frame) => [changed(frame, HEADER + 12, [0])]) },
  { rule: Rule.QueueEcho, generations: ['gen3'], tamper: on(answerTo(9), (frame) => [changed(frame, HEADER + 8, [4])]) },
  {
    rule: Rule.RestlessGeneration,
    generations: both,
    tamper: () => {
      let reads = 0;
      return (frame) => (isAnswer(frame, 5) ? [changed(frame, HEADER, [++reads])] : [frame]);
    },
  },
  { rule: Rule.StateBits, generations: both, tamper: on((frame) => isEvent(frame, 2, 0x40), (frame) => [frame, state(NUMBERS.third, 0x8001)]) },
  { rule: Rule.NumberAgain, generations: both, tamper: on((frame) => isEvent(frame, 2, 0x40) && read16(frame, 10) === 2, (frame) => [frame, state(NUMBERS.second, 1)]) },
  { rule: Rule.BackToBack, generations: both, tamper: on((frame) => isEvent(frame, 2, 0x40) && read16(frame, 8) === NUMBERS.second, (frame) => [frame, state(NUMBERS.third, 1)]) },
  { rule: Rule.Silent, generations: both, tamper: on(answerTo(3), () => []) },
  { rule: Rule.Status, generations: both, tamper: on((frame) => isAnswer(frame, 8) && read32(frame, HEADER) === 0x0b, (frame) => [changed(frame, HEADER, [3])]) },
  {
    rule: Rule.SilentRemoved,
    generations: ['gen2'],
    tamper: () => {
      let gone = false;
      return (frame) => {
        gone = gone || (isEvent(frame, 2, 0x40) && read16(frame, 10) === 2);
        return gone && read16(frame, 2) === NUMBERS.second ? [] : [frame];
      };
    },
  },
];

planted.forEach(({ rule, generations, tamper }) => {
  generations.forEach((generation) => {
    test(`${generation}: never ${rule}; the judge notices it when it is done`, () => {
      assert.ok(live(generation, tamper()).driver.breaches.has(rule));
    });
  });
});

test('every rule has been planted', () => {
  const seen = new Set(planted.map(({ rule }) => rule));
  assert.deepEqual(Object.values(Rule).filter((rule) => !seen.has(rule)), [Rule.EarlyDoorbell]);
});

test('S-03 never a doorbell before the driver\'s queue status is READY, whatever the device side has to say; the judge notices it when it is done', () => {
  started([testDevice({ number: 1 }).model]);
  const quiet = new LinuxDriver(new AmpBus(hostMachine), 'gen2', () => fake.rings[0] ?? 0);
  quiet.connect();
  assert.ok(!quiet.breaches.has(Rule.EarlyDoorbell));
  started([testDevice({ number: 1 }).model]);
  let rings = 0;
  const loud = new LinuxDriver(new AmpBus({ ...hostMachine, wait: () => { rings += 1; pass(); } }), 'gen2', () => rings);
  loud.connect();
  assert.ok(loud.breaches.has(Rule.EarlyDoorbell));
});

test('shutdown without a message: every device is reset and the next driver finds INIT with indices 0', () => {
  const { driver } = live('gen2');
  const { bus } = driver;
  assert.deepEqual([0, 2, 4, 6].map((at) => bus.word(bus.deviceHead + at)), [0x514f, 0, 0, 0]);
  driver.connect();
  assert.equal(driver.status(NUMBERS.first), 0);
  fake.microseconds += SECOND;
  assert.deepEqual(driver.discover(), [NUMBERS.first, NUMBERS.third]);
  assert.deepEqual([...driver.breaches], []);
});
