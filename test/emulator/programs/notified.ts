// Buffers announced and heard of in one of the ways a bus can be configured for, also while the message queues are full.
import { figure, machine, main, step } from './application-core.js';
import { QueueCommand } from '../../conformance/apps/specimen.hot.js';
import { AmpBus } from '../../support/driver/amp-bus.js';
import { DriverDevice } from '../../support/driver/device.js';
import { BUS_PING, decode, encode, EVENT_CONFIG, le32, TYPE_BUS } from '../../support/driver/message.js';
import type { Way } from '../../support/driver/out-of-band.js';
import { Notifier } from '../../support/driver/out-of-band.js';
import { SplitQueue } from '../../support/driver/split-queue.js';

const ROUNDS = 30;
const QUEUES_AT = 0x20000;
const DATA_AT = 0x30000;
const REQUEST = 16;

/** The specimen fills on queue 0 and takes commands on queue 1; the entropy device has one queue. */
const SPECIMEN = 1;
const ENTROPY = 2;
const places = [
  { device: SPECIMEN, queue: 0 },
  { device: SPECIMEN, queue: 1 },
  { device: ENTROPY, queue: 0 },
];

/** Uses every queue round after round, and once more with full message queues. `rings`: the driver side has a doorbell to ring. */
export function notified(way: Way, rings: boolean): void {
  main((plain) => {
    const { words, addressLow, addressHigh, layout, ring, wait, barrier, clock } = plain.machine;
    const bus = new AmpBus({ words, addressLow, addressHigh, layout, wait, barrier, clock, ring: rings ? ring : () => undefined });
    bus.connect();
    const notifier = new Notifier(bus, way);
    const devices = [SPECIMEN, ENTROPY].map((number) => new DriverDevice(bus, number));
    const queues = places.map((_, at) => new SplitQueue(machine, QUEUES_AT + at * 0x1000, 8));
    devices.forEach((device) => {
      device.negotiate(0);
      places.forEach((place, at) => {
        if (place.device === device.number) {
          device.setQueue(place.queue, 8, queues[at].areas());
        }
      });
      device.start();
    });

    /** Buffers back, by place; the ring of a queue is looked at only when something was heard of it. */
    const back = places.map(() => 0);
    let changes = 0;
    const look = (device: number, queue: number): void => {
      places.forEach((place, at) => {
        if ((device < 0 || place.device === device) && (queue < 0 || place.queue === queue)) {
          while (queues[at].take() !== undefined) {
            back[at]++;
          }
        }
      });
    };
    let answers = 0;
    /** Takes every message that is there. */
    const takeMessages = (): void => {
      for (let frame = bus.take(); frame !== undefined; frame = bus.take()) {
        const message = decode(frame);
        answers += message.type === TYPE_BUS + 1 ? 1 : 0;
        changes += message.id === EVENT_CONFIG && message.device === SPECIMEN ? 1 : 0;
        notifier.heardFrom(message).forEach((heard) => look(heard.device, heard.queue));
      }
    };
    const hear = (): void => {
      if (way.kind === 'doorbell') {
        look(-1, -1);
      }
      notifier.heardFromWords().forEach((heard) => look(heard.device, heard.queue));
    };
    const offer = (at: number, bytes: number): void => {
      const offset = DATA_AT + at * 0x100;
      queues[at].add([{ offset, bytes, writable: at !== 1 }]);
      queues[at].publish();
      bus.until('room to say that there are buffers', () => {
        const said = notifier.put(places[at].device, places[at].queue);
        if (!said) {
          takeMessages();
        }
        return said;
      });
      bus.machine.ring();
    };
    const expectBack = (name: string, counts: readonly number[]): void => {
      bus.until(name, () => {
        takeMessages();
        hear();
        return counts.every((count, at) => back[at] === count);
      });
    };

    step('every queue, one after the other');
    // What queue 1 of the specimen is told: change a byte of the configuration.
    words[(DATA_AT + 0x100) / 2] = QueueCommand.ChangeByte;
    for (let round = 1; round <= ROUNDS; round++) {
      places.forEach((_, at) => {
        offer(at, at === 1 ? 2 : REQUEST);
        const after = places.map((__, other) => (other <= at ? round : round - 1));
        expectBack('used buffers of round ' + round + ', queue ' + at, after);
      });
    }
    bus.until('an event for every change', () => {
      takeMessages();
      return changes === ROUNDS;
    });

    step('every queue, while nobody takes messages');
    let asked = 0;
    const ping = encode({ type: TYPE_BUS, id: BUS_PING, device: 0, token: 1, payload: le32(7) });
    bus.until('both message queues are full', () => {
      const put = bus.put(ping);
      asked += put ? 1 : 0;
      bus.machine.ring();
      return !put && bus.full();
    });
    if (way.kind === 'messages') {
      // The announcements travel behind the requests that nobody takes.
      places.forEach((_, at) => {
        queues[at].add([{ offset: DATA_AT + at * 0x100, bytes: at === 1 ? 2 : REQUEST, writable: at !== 1 }]);
        queues[at].publish();
      });
      places.forEach((place) => {
        bus.until('room for an announcement', () => {
          takeMessages();
          return notifier.put(place.device, place.queue);
        });
        bus.machine.ring();
      });
    } else {
      places.forEach((_, at) => offer(at, at === 1 ? 2 : REQUEST));
      bus.until('used buffers past the full queues', () => {
        hear();
        return back.every((count) => count === ROUNDS + 1);
      });
      figure('past-full-queues', 1);
    }
    expectBack('everything that was used', places.map(() => ROUNDS + 1));
    bus.until('every answer, and the event for the change', () => {
      takeMessages();
      return answers === asked && changes === ROUNDS + 1;
    });
    figure('buffers', back[0] + back[1] + back[2]);
    figure('changes', changes);
    figure('answers', answers);
    devices.forEach((device) => device.setStatus(0));
    bus.shutdown();
  });
}
