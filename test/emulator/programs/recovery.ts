// A driver side that lives again and again: handshake, transfer, shutdown; it can be held at every ordering point of a life.
//
// Control words in front of the areas: the point to stop at (0 = none, written by the test), the number of lives
// begun, and whether a life's first request is odd.
// Each life has rings and buffers of its own; those of the life before are painted and must stay so: what is still written
// there belongs to a dead driver.
import { barrier, fill, print, wait } from '#driver-port';
import type { DriverMachine } from '../../support/driver/machine.js';
import { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { attach, figure, home, machine, own } from './application-core.js';

const AREA = own;
const AREA_BYTES = own;

const STOP_AT = AREA / 2 - 8;
const LIVES = STOP_AT + 1;
const SHIFT = STOP_AT + 2;

/** From the start of an area on. */
const BUFFERS = 0x1000;
const BUFFER_BYTES = 64;
const READABLE = 4;
const WRITABLE = 32;
const PAINT = 0x5a;
/** Bytes of an area that are painted and compared. */
const PAINTED = 0x1800;

const QUEUE_SIZE = 16;
const BATCHES = 3;
const BATCH = 4;
const HEAD_MAGIC = 0x514f;
const INIT = 0;
const RUN = 2;

/** Ordering points passed in this life. */
let point = 0;

function orderingPoint(): void {
  barrier();
  point++;
  if (machine.words[STOP_AT] === point) {
    print('@ ' + point);
    while (machine.words[STOP_AT] === point) {
      wait(500);
    }
  }
}

/** What a real driver cannot see and this one must: its device side is another one now. */
class DeviceLost {
  readonly reason = 'the device side was replaced';
}

/** Looks, whenever the driver waits or reads, whether the device side is still the one it shook hands with. */
class Watch {
  private introduced = false;
  running = false;
  started = false;

  constructor(readonly bus: AmpBus) {
    const write = bus.setWord;
    bus.setWord = (byte, value) => {
      if (bus.driverHead !== 0 && byte === bus.driverHead) {
        this.introduced = value === HEAD_MAGIC;
      }
      write.call(bus, byte, value);
    };
    const take = bus.take;
    bus.take = () => {
      const frame = take.call(bus);
      // What was read counts only if it came from the device side that was shaken hands with.
      this.look();
      return frame;
    };
  }

  look(): void {
    // A device side that starts clears the driver's queue head.
    if ((this.introduced && this.bus.word(this.bus.driverHead) !== HEAD_MAGIC) || (this.running && this.bus.status() !== RUN)) {
      throw new DeviceLost();
    }
  }
}

/** The machine with the ordering points and the look put in. */
function watched(plain: DriverMachine, look: () => void): DriverMachine {
  return {
    words: plain.words,
    addressLow: plain.addressLow,
    addressHigh: plain.addressHigh,
    layout: plain.layout,
    clock: plain.clock,
    ring: plain.ring,
    barrier: orderingPoint,
    wait(microseconds: number): void {
      look();
      plain.wait(microseconds);
    },
  };
}

function paintIsWhole(area: number): void {
  for (let at = 0; at < PAINTED; at += 2) {
    if (machine.words[(area + at) / 2] !== PAINT * 257) {
      throw new Error('byte ' + at + ' of a dead driver\'s area was written');
    }
  }
}

/** Offers a batch, each request with its own byte; gives the part that each head stands for, plus 1. */
function offer(queue: SplitQueue, area: number, first: number): number[] {
  const open: number[] = [];
  for (let part = 0; part < BATCH; part++) {
    const buffer = area + BUFFERS + part * BUFFER_BYTES;
    machine.words[buffer / 2] = first + part;
    machine.words[(buffer + READABLE + WRITABLE - 2) / 2] = 0;
    const head = queue.add([
      { offset: buffer, bytes: READABLE, writable: false },
      { offset: buffer + READABLE, bytes: WRITABLE, writable: true },
    ]);
    open[head] = part + 1;
  }
  queue.publish();
  return open;
}

/** Every request of the batch comes back once, with its own byte. */
function collect(bus: AmpBus, device: DriverDevice, queue: SplitQueue, area: number, first: number, open: number[]): void {
  device.kick(0);
  let left = BATCH;
  bus.until('the batch comes back', () => {
    const before = left;
    bus.poll();
    for (let used = queue.take(); used !== undefined; used = queue.take()) {
      const part = open[used.head];
      if (part === undefined || part === 0 || used.written !== WRITABLE) {
        throw new Error('head ' + used.head + ' came back with ' + used.written + ' bytes: that is a stale completion');
      }
      open[used.head] = 0;
      const last = machine.words[(area + BUFFERS + (part - 1) * BUFFER_BYTES + READABLE + WRITABLE - 2) / 2];
      if (last !== (first + part - 1) * 257) {
        throw new Error('a request came back with the bytes ' + last);
      }
      left--;
    }
    // The device keeps odd requests until it is kicked again.
    if (left > 0 && left === before) {
      device.kick(0);
    }
    return left === 0;
  });
}

function live(watch: Watch, watchedMachine: DriverMachine): void {
  const bus = watch.bus;
  point = 0;
  const life = (machine.words[LIVES] + 1) & 0x7fff;
  machine.words[LIVES] = life;
  const area = AREA + (life % 2) * AREA_BYTES;
  const dead = AREA + ((life + 1) % 2) * AREA_BYTES;
  bus.connect();
  watch.running = true;
  bus.busRequest('GET_DEVICES', 2, [0, 0, 32, 0]);
  const device = new DriverDevice(bus, 1);
  device.negotiate(0);
  // The device has been reset by this driver: from now on nothing may be written for the dead one.
  fill(home, dead, PAINTED, PAINT);
  const queue = new SplitQueue(watchedMachine, area, QUEUE_SIZE);
  device.setQueue(0, queue.size, queue.areas());
  // The odd requests, which the device keeps, have other heads than those of the life that transferred before.
  const shift = 1 - (machine.words[SHIFT] & 1);
  machine.words[SHIFT] = shift;
  for (let batch = 0; batch < BATCHES; batch++) {
    const first = (life * BATCHES * BATCH + batch * BATCH + shift) & 127;
    const open = offer(queue, area, first);
    if (batch === 0) {
      // The device finds the first batch when it looks by itself, together with what it may still keep of a dead driver.
      device.start();
      watch.started = true;
    }
    collect(bus, device, queue, area, first, open);
  }
  if (device.setStatus(0) !== 0) {
    throw new Error('the device is not in its reset state');
  }
  paintIsWhole(dead);
  watch.running = false;
  bus.shutdown();
}

/**
 * A driver that comes back before the device side has looked finds RUN, as the known driver does, and reads what was
 * meant for the dead one: its start fails. A start after the device side has looked must succeed. When that is, only the system's
 * scheduler knows: each pause is twice as long as the one before, 10 s in all, in microseconds.
 */
const MOST_FAILED_STARTS = 9;
const PAUSE = 20000;

/** Far above what any step takes on a busy machine, in microseconds. */
const STEP_LIMIT = 60000000;

attach((plain) => {
  let failedStarts = 0;
  for (;;) {
    let look = (): void => undefined;
    const watch = new Watch(new AmpBus(watched(plain.machine, () => look())));
    look = () => watch.look();
    watch.bus.stepLimit = STEP_LIMIT;
    try {
      live(watch, watched(machine, look));
      figure('points', point);
      print('life');
      failedStarts = 0;
    } catch (error) {
      if (error instanceof DeviceLost) {
        print('lost');
      } else {
        const reason = (error as Error).message;
        failedStarts++;
        // What does not come at all, and whatever goes wrong once the device runs, is a failure.
        if (watch.started || failedStarts > MOST_FAILED_STARTS || reason.indexOf('step did not come') === 0) {
          throw error;
        }
        print('failed start: ' + reason);
        watch.running = false;
        // Gives up as a driver does. Without it a device side that had taken as many messages as this start wrote would see no change.
        if (watch.bus.driverHead !== 0) {
          watch.bus.setStatus(INIT);
          plain.machine.ring();
        }
        plain.machine.wait(PAUSE << (failedStarts - 1));
      }
    }
  }
});
