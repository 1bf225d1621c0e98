// The network device: frames whole and in order in both directions, merged buffers, filters, the control queue, the switch.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NetworkOptions } from '../../../firmware/main.js';
import { loopBack, network, networkSwitch } from '../../../firmware/main.js';
import { pass } from '../../../firmware/loop.hot.js';
import { netDropped, netLink } from '../../../firmware/device.hot.js';
import { fake } from '../../../hal/fake/port.js';
import type { BenchOptions } from '../../support/device-bench.js';
import { benchOf, benchPerBus, DeviceBench } from '../../support/device-bench.js';
import { le32, read16 } from '../../support/driver/message.js';

const F_MTU = 3;
const F_MAC = 5;
const F_MRG_RXBUF = 15;
const F_STATUS = 16;
const F_CTRL_VQ = 17;
const F_CTRL_RX = 18;
const F_CTRL_MAC_ADDR = 23;
const RX = 0;
const TX = 1;
const CONTROL = 2;
const HEADER = new Array<number>(12).fill(0);
const OWN = [2, 0x76, 0x6d, 0x73, 0x67, 5];
const BROADCAST = [255, 255, 255, 255, 255, 255];
const GROUP = [1, 0, 0x5e, 1, 2, 3];

function frame(destination: readonly number[], length: number, seed = 1): number[] {
  const rest = Array.from({ length: length - 14 }, (_, at) => (at * 5 + seed * 17) & 255);
  return [...destination, 2, 0, 0, 0, 0, seed & 255, 8, 0, ...rest];
}

function net(options: Partial<NetworkOptions> = {}, bench: BenchOptions = {}): DeviceBench {
  const features = bench.features ?? [];
  const queues = features.includes(F_CTRL_VQ) ? [RX, TX, CONTROL] : [RX, TX];
  return benchOf(network({ number: 5, backend: loopBack(), ...options }), { queues, ...bench });
}

/** Sends a frame through loop-back; what came back in the buffers offered before. */
function send(device: DeviceBench, bytes: readonly number[], index = TX): void {
  assert.equal(device.ask(index, [HEADER, bytes])?.written, 0);
}

function received(device: DeviceBench): number[][] {
  return device.takeAll(RX).map(({ written, bytes }) => bytes.slice(0, written));
}

/** The header of a received frame: all zero but num_buffers. */
function headerWith(buffers: number): number[] {
  return [...new Array<number>(10).fill(0), buffers, 0];
}

test('device id 1 with its features; MAC, status, one pair and MTU in the configuration', () => {
  const { device } = net();
  assert.deepEqual([device.info().deviceId, device.info().queues, device.info().configSize], [1, 3, 12]);
  const bits = [F_MTU, F_MAC, F_MRG_RXBUF, F_STATUS, F_CTRL_VQ, F_CTRL_RX, F_CTRL_MAC_ADDR];
  assert.equal(device.features()[0], bits.reduce((sum, bit) => sum + 2 ** bit, 0));
  assert.deepEqual(device.config(0, 12), [...OWN, 1, 0, 1, 0, 0xdc, 5]);
  assert.equal(net({ mac: '02:0A:00:00:00:ff' }).device.config(5, 1)[0], 255);
});

test('without linkStatus STATUS is not offered, all else is', () => {
  assert.equal(net().device.features()[0] - net({ linkStatus: false }).device.features()[0], 2 ** F_STATUS);
});

test('CTRL_RX and CTRL_MAC_ADDR need CTRL_VQ, which brings the control queue', () => {
  assert.throws(() => net({}, { features: [F_CTRL_RX], queues: [] }), /answers status 3/);
  assert.throws(() => net({}, { features: [F_CTRL_MAC_ADDR], queues: [] }), /answers status 3/);
  assert.equal(net().device.queueMaximum(CONTROL), 0);
});

test('NET-5 NET-7 NET-8 without MRG_RXBUF a frame comes in one buffer, header zero with num_buffers 1', () => {
  const device = net();
  device.offer(RX, [], [5, 1, 3000]);
  send(device, frame(OWN, 60));
  assert.deepEqual(received(device), [[...headerWith(1), ...frame(OWN, 60)]]);
});

test('DT-G1 a transmitted header and frame may be cut anywhere', () => {
  const all = [...HEADER, ...frame(OWN, 77)];
  [1, 11, 12, 13, 26, 80].forEach((cut) => {
    const device = net();
    device.offer(RX, [], [2000]);
    device.ask(TX, [all.slice(0, cut), all.slice(cut)]);
    assert.deepEqual(received(device), [[...headerWith(1), ...frame(OWN, 77)]]);
  });
});

test('NET-1 NET-2 flags, offload fields and hdr_len of a transmitted header change nothing', () => {
  const device = net();
  device.offer(RX, [], [2000]);
  assert.equal(device.ask(TX, [[255, 0x81, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], frame(OWN, 60)])?.written, 0);
  assert.deepEqual(received(device), [[...headerWith(1), ...frame(OWN, 60)]]);
});

test('NET-5 a buffer too small drops the frame and stays for the next one', () => {
  const device = net();
  const head = device.offer(RX, [], [80]);
  send(device, frame(OWN, 69));
  assert.deepEqual(received(device), []);
  assert.equal(netDropped[0], 1);
  send(device, frame(OWN, 68));
  device.wait(2000);
  const answer = device.take(RX);
  assert.deepEqual([answer?.head, answer?.written], [head, 80]);
});

test('NET-4 NET-3 NET-9 a buffer without a frame, or with one above the MTU, is completed, dropped and counted', () => {
  const device = net({ mtu: 100 });
  device.offer(RX, [], [2000]);
  [[[0]], [HEADER], [HEADER, new Array<number>(13).fill(0)], [HEADER, frame(OWN, 115)], [HEADER, frame(OWN, 119)]].forEach((parts, at) => {
    assert.equal(device.ask(TX, parts)?.written, 0);
    assert.equal(netDropped[0], at + 1);
  });
  send(device, frame(OWN, 114));
  assert.equal(received(device).length, 1, 'mtu and Ethernet header pass whole');
  device.offer(RX, [], [2000]);
  const tagged = frame(OWN, 118);
  tagged.splice(12, 2, 0x81, 0);
  send(device, tagged);
  assert.equal(received(device).length, 1, 'with a tag four more bytes');
});

test('NET-3 NET-4 a backend sees frames of 14 bytes to the MTU with its headers, each once, and none while the link is down', () => {
  const seen: number[] = [];
  const transmit = (_device: number, bytes: number): boolean => {
    seen.push(bytes);
    return true;
  };
  const device = benchOf(network({ number: 4, mtu: 100, backend: { type: { transmit }, attach: (): void => undefined } }), { features: [F_MAC, F_STATUS], queues: [RX, TX] });
  [0, 13, 14, 114, 118, 119, 2000].forEach((length) => {
    assert.equal(device.ask(TX, [HEADER, new Array<number>(length).fill(0)])?.written, 0);
  });
  assert.deepEqual(seen, [14, 114, 118]);
  assert.equal(netDropped[0], 4);
  netLink(0, 0);
  device.ask(TX, [HEADER, new Array<number>(60).fill(0)]);
  assert.deepEqual([seen.length, netDropped[0]], [3, 5]);
});

[false, true].forEach((packed) => {
  test(`NET-6 with MRG_RXBUF a frame fills as many buffers as it needs, shown together (${packed ? 'packed' : 'split'})`, () => {
    const device = net({}, { features: [F_MRG_RXBUF], packed });
    device.offer(RX, [], [20]);
    device.offer(RX, [], [7, 9]);
    send(device, frame(OWN, 60));
    assert.deepEqual(received(device), [], 'nothing is shown before all of it has a place');
    device.offer(RX, [], [30]);
    device.offer(RX, [], [30]);
    device.kick(RX);
    const parts = received(device);
    assert.deepEqual(parts.map((part) => part.length), [20, 16, 30, 6]);
    assert.deepEqual(parts.flat(), [...headerWith(4), ...frame(OWN, 60)]);
  });
});

[false, true].forEach((packed) => {
  test(`R-402 R-422 a frame whose buffers go beyond the budget of a pass is shown whole in the next one (${packed ? 'packed' : 'split'})`, () => {
    // Four frames of 20 buffers each; a pass takes 64 chains.
    const device = net({ frames: 4, queueSize: 128, mtu: 1000 }, { features: [F_MRG_RXBUF], packed, size: 128 });
    const frames = [1, 2, 3, 4].map((seed) => frame(OWN, 20 * 30 - 12, seed));
    frames.forEach((bytes) => send(device, bytes));
    for (let buffer = 0; buffer < 80; buffer++) {
      device.offer(RX, [], [30]);
    }
    device.device.kick(RX);
    pass();
    const first = received(device);
    assert.equal(first.length, 60, 'four buffers of the last frame are filled and not shown');
    assert.deepEqual(first.flat(), frames.slice(0, 3).flatMap((bytes) => [...headerWith(20), ...bytes]));
    pass();
    assert.deepEqual(received(device).flat(), [...headerWith(20), ...(frames[3] ?? [])]);
  });
});

test('NET-6 num_buffers is set when its two bytes lie in different elements', () => {
  const device = net({}, { features: [F_MRG_RXBUF] });
  device.offer(RX, [], [11, 1, 4]);
  device.offer(RX, [], [500]);
  send(device, frame(OWN, 60));
  assert.deepEqual(received(device).flat(), [...headerWith(2), ...frame(OWN, 60)]);
  // Wherever the header is cut, in two or three.
  for (let first = 1; first < 11; first++) {
    device.offer(RX, [], [first, 11 - first, 5]);
    device.offer(RX, [], [500]);
    send(device, frame(OWN, 60, first));
    assert.deepEqual(received(device).flat(), [...headerWith(2), ...frame(OWN, 60, first)], `cut at ${first}`);
  }
});

test('NET-6 a first buffer that cannot hold the header, and a frame in too many tiny buffers, are given back with 0', () => {
  const device = net({}, { features: [F_MRG_RXBUF] });
  device.offer(RX, [], [11]);
  device.offer(RX, [], [200]);
  send(device, frame(OWN, 60));
  assert.deepEqual(received(device).map((part) => part.length), [0, 72]);
  device.offer(RX, [], [12]);
  for (let count = 0; count < 40; count++) {
    device.offer(RX, [], [1]);
  }
  send(device, frame(OWN, 60));
  const given = received(device);
  assert.equal(given.length, 32);
  assert.ok(given.every((part) => part.length === 0));
  assert.equal(netDropped[0], 1);
});

test('NET-13 R-163 a receive queue that is reset in the middle of a frame: the frame comes whole in the new life', () => {
  const device = net({}, { features: [F_MRG_RXBUF] });
  device.offer(RX, [], [20]);
  send(device, frame(OWN, 60));
  device.device.resetQueue(RX);
  device.setUp(RX);
  device.offer(RX, [], [100]);
  device.kick(RX);
  assert.deepEqual(received(device).flat(), [...headerWith(1), ...frame(OWN, 60)]);
});

/** A device with a control queue. */
function controlled(): DeviceBench {
  return net({}, { features: [F_CTRL_VQ, F_CTRL_RX, F_CTRL_MAC_ADDR] });
}

function control(device: DeviceBench, list: readonly number[]): number | undefined {
  const answer = device.ask(CONTROL, [list], [1]);
  assert.equal(answer?.written, 1);
  return answer.bytes[0];
}

/** Which of a few destinations get through. */
function passing(device: DeviceBench): string {
  const kinds: [string, number[]][] = [['own', OWN], ['other', [2, 9, 9, 9, 9, 9]], ['group', GROUP], ['broadcast', BROADCAST]];
  return kinds
    .filter(([, destination]) => {
      device.offer(RX, [], [100]);
      send(device, frame(destination, 60));
      const came = received(device).length === 1;
      if (!came) {
        send(device, frame(BROADCAST, 60));
        received(device);
      }
      return came;
    })
    .map(([name]) => name)
    .join(' ');
}

const PROMISC = [0, 0];
const ALLMULTI = [0, 1];
const TABLE_SET = [1, 0];
const ADDR_SET = [1, 1];

test('NET-14 the filter passes the own address and broadcast, what the tables hold, and all when promiscuous', () => {
  const device = controlled();
  assert.equal(passing(device), 'own broadcast');
  assert.equal(control(device, [...TABLE_SET, ...le32(1), 2, 9, 9, 9, 9, 9, ...le32(1), ...GROUP]), 0);
  assert.equal(passing(device), 'own other group broadcast');
  assert.equal(control(device, [...TABLE_SET, ...le32(0), ...le32(0)]), 0);
  assert.equal(control(device, [...ALLMULTI, 1]), 0);
  assert.equal(passing(device), 'own group broadcast');
  control(device, [...ALLMULTI, 0]);
  control(device, [...PROMISC, 1]);
  assert.equal(passing(device), 'own other group broadcast');
  device.device.setStatus(0);
  device.start();
  assert.equal(passing(device), 'own broadcast', 'empty after a reset');
});

test('NET-14 without CTRL_RX the driver cannot filter and gets everything', () => {
  assert.equal(passing(net()), 'own other group broadcast');
});

test('a table with more addresses than there is room for lets all of its kind pass', () => {
  const device = controlled();
  const many = Array.from({ length: 17 }, (_, at) => [2, 0, 0, 0, 1, at]).flat();
  assert.equal(control(device, [...TABLE_SET, ...le32(17), ...many, ...le32(0)]), 0);
  assert.equal(passing(device), 'own other broadcast');
  const groups = Array.from({ length: 17 }, (_, at) => [1, 0, 0, 0, 1, at]).flat();
  assert.equal(control(device, [...TABLE_SET, ...le32(0), ...le32(17), ...groups]), 0);
  assert.equal(passing(device), 'own group broadcast');
});

test('ADDR_SET changes the address in the configuration and the filter; a reset brings the first one back', () => {
  const device = controlled();
  assert.equal(control(device, [...ADDR_SET, 2, 9, 9, 9, 9, 9]), 0);
  assert.deepEqual(device.device.config(0, 6), [2, 9, 9, 9, 9, 9]);
  assert.equal(passing(device), 'other broadcast');
  device.device.setStatus(0);
  assert.deepEqual(device.device.config(0, 6), OWN);
});

test('NET-16 unknown classes and commands, wrong lengths and features not accepted are ERR and change nothing', () => {
  const device = controlled();
  control(device, [...TABLE_SET, ...le32(0), ...le32(1), ...GROUP]);
  const bad = [
    [9, 0, 0], [0, 2, 1], [0, 5, 1], [1, 2, 0], [2, 0, 1, 0], [3, 0], [4, 0, 1, 0], [5, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0], [0, 0], [0, 0, 1, 1], [0, 0, 2],
    [...ADDR_SET, 1, 2, 3, 4, 5], [...ADDR_SET, 1, 2, 3, 4, 5, 6, 7], TABLE_SET, [...TABLE_SET, ...le32(0)], [...TABLE_SET, ...le32(1), ...OWN],
    [...TABLE_SET, ...le32(0), ...le32(1), 1, 2, 3, 4, 5], [...TABLE_SET, ...le32(0), ...le32(0), 1], [...TABLE_SET, ...le32(0xffffffff), ...le32(0)],
    [...TABLE_SET, ...le32(0x10000), ...le32(0)], [...TABLE_SET, ...le32(0), ...le32(0x10000)],
  ];
  bad.forEach((list) => assert.equal(control(device, list), 1, list.join(' ')));
  assert.equal(device.ask(CONTROL, [[...PROMISC, 1]])?.written, 0, 'no place for the answer: nothing is done');
  assert.equal(passing(device), 'own group broadcast');
  assert.deepEqual(device.device.config(0, 6), OWN);
  const bare = net({}, { features: [F_CTRL_VQ] });
  [[...PROMISC, 1], [...TABLE_SET, ...le32(0), ...le32(0)], [...ADDR_SET, 2, 9, 9, 9, 9, 9]].forEach((list) => assert.equal(control(bare, list), 1));
});

test('NET-11 a link that goes down and up shows in the status with an event each; frames meanwhile are dropped', () => {
  const device = net({}, { features: [F_STATUS] });
  device.offer(RX, [], [100]);
  netLink(0, 0);
  netLink(0, 0);
  device.settle();
  assert.deepEqual(device.device.config(6, 2), [0, 0]);
  assert.deepEqual(device.events.splice(0).map(({ id }) => id), [0x40]);
  send(device, frame(OWN, 60));
  assert.deepEqual([received(device).length, netDropped[0]], [0, 1]);
  netLink(0, 1);
  device.settle();
  assert.deepEqual(device.device.config(6, 2), [1, 0]);
  send(device, frame(OWN, 60));
  assert.equal(received(device).length, 1);
});

test('a switch brings a frame to the one it is for, a broadcast and an unknown address to all others, never to the sender', () => {
  const joined = networkSwitch();
  const models = [5, 6, 7].map((number) => network({ number, backend: joined, frames: 2 }));
  const [first, second, third] = models;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const one = benchOf(first, { queues: [RX, TX] }, [second, third]);
  const all = [one, new DeviceBench(one.bus, second, { queues: [RX, TX] }), new DeviceBench(one.bus, third, { queues: [RX, TX] })];
  all.forEach((device) => [1, 2, 3, 4].forEach(() => device.offer(RX, [], [100])));
  const came = (): number[] => all.map((device) => received(device).length);
  send(one, frame([...OWN.slice(0, 5), 7], 60));
  assert.deepEqual(came(), [0, 0, 1]);
  send(one, frame(BROADCAST, 60));
  assert.deepEqual(came(), [0, 1, 1]);
  send(one, frame([2, 9, 9, 9, 9, 9], 60));
  assert.deepEqual(came(), [0, 1, 1]);
  [1, 2, 3, 4, 5, 6].forEach((seed) => send(one, frame([...OWN.slice(0, 5), 6], 60, seed)));
  assert.deepEqual(came(), [0, 2, 0], 'a receiver without buffers loses what its slots do not hold, and stops nobody');
  all[1]?.offer(RX, [], [100]);
  all[1]?.offer(RX, [], [100]);
  all[1]?.kick(RX);
  assert.deepEqual(came(), [0, 2, 0]);
  assert.equal(netDropped[1], 2);
});

test('a switch joins devices of two buses, which may have the same number; the drivers\' frames cross it in both directions', () => {
  const joined = networkSwitch();
  const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
  const [one, two] = benchPerBus(macs.map((mac) => network({ number: 4, mac, backend: joined })), { queues: [RX, TX] });
  assert.ok(one !== undefined && two !== undefined);
  const pair = [one, two];
  for (let turn = 0; turn < 3; turn++) {
    pair.forEach((from, at) => {
      const to = pair[1 - at] as DeviceBench;
      to.offer(RX, [], [100]);
      const sent = frame([2, 0, 0, 0, 0, 2 - at], 60, turn);
      send(from, sent);
      to.settle();
      assert.deepEqual(received(to), [[...headerWith(1), ...sent]]);
      assert.deepEqual(received(from), []);
    });
  }
  // The driver of one bus goes; the other one's device serves on.
  one.device.setStatus(0);
  send(two, frame(BROADCAST, 60));
  assert.equal(two.device.status() & 64, 0);
  one.start();
  one.offer(RX, [], [100]);
  send(two, frame([2, 0, 0, 0, 0, 1], 60, 9));
  one.settle();
  assert.equal(received(one).length, 1);
});

test('a frame that goes to oneself through a switch goes nowhere', () => {
  const device = net({ backend: networkSwitch() });
  device.offer(RX, [], [100]);
  send(device, frame(OWN, 60));
  assert.deepEqual(received(device), []);
});

[false, true].forEach((merge) =>
  [false, true].forEach((packed) => {
    test(`no frame is lost, doubled, mixed or out of order (${merge ? 'merged' : 'whole'} buffers, ${packed ? 'packed' : 'split'} ring)`, () => {
      const step = fc.record({ send: fc.option(fc.integer({ min: 14, max: 300 })), buffers: fc.array(fc.integer({ min: 12, max: 330 }), { maxLength: 4 }) });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
          const device = net({ frames: 2, mtu: 400 }, { features: merge ? [F_MRG_RXBUF] : [], packed });
          const sent: number[][] = [];
          const got: number[][] = [];
          let out = 0;
          let part: number[] = [];
          let left = 0;
          const collect = (): void => {
            device.wait(3000);
            out -= device.takeAll(TX).length;
            received(device).forEach((bytes) => {
              if (left === 0) {
                left = read16(bytes, 10);
                part = bytes.slice(12);
              } else {
                part.push(...bytes);
              }
              left -= 1;
              if (left === 0) {
                got.push(part);
              }
            });
          };
          steps.forEach(({ send: length, buffers }, at) => {
            if (length !== null && out < 10) {
              const next = frame(OWN, length, at);
              sent.push(next);
              device.offer(TX, [HEADER, next]);
              device.kick(TX);
              out += 1;
            }
            buffers.forEach((bytes) => device.offer(RX, [], [merge ? bytes : 420]));
            device.kick(RX);
            collect();
          });
          for (let round = 0; round < 60 && got.length < sent.length; round++) {
            device.offer(RX, [], [420]);
            device.kick(RX);
            collect();
          }
          assert.deepEqual(got, sent);
          assert.deepEqual([netDropped[0], out, left], [0, 0, 0]);
          assert.ok(fake.guardsIntact());
        }),
        { numRuns: 20 },
      );
    });
  }),
);

test('options that cannot be are refused with one sentence', () => {
  const wrong: [Partial<NetworkOptions>, RegExp][] = [
    [{ mac: '01:00:00:00:00:00' }, /is not the Ethernet address of one machine/],
    [{ mac: '2:0:0:0:0:1' }, /is not the Ethernet address/],
    [{ mtu: 67 }, /an mtu lies between/],
    [{ frames: 0 }, /1 to 255 frames/],
  ];
  wrong.forEach(([options, reason]) => assert.throws(() => network({ number: 1, backend: loopBack(), ...options }), reason));
});
