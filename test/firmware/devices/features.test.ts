// Every feature bit of every device type is offered, and then accepted, or its doc comment says by name that it is not, and why.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  baseProtocol, block, can, console as consoleDevice, echo, entropy, flashDisk, gpio, i2c, input, loopBack, network, ramDisk, rtc, scmi, spi,
} from '../../../firmware/main.js';
import type { DeviceModel, ScmiBackend } from '../../../firmware/main.js';
import { packageRoot } from '../../../tools/targets.js';
import { benchOf } from '../../support/device-bench.js';

interface Type {
  readonly name: string;
  readonly deviceId: number;
  /** Feature bits below 24 and from 50 up, as virtio 1.4 has them. */
  readonly bits: Readonly<Record<string, number>>;
  /** Devices that together offer all the type can. */
  readonly models: readonly (() => DeviceModel)[];
}

const port = { backend: echo() };
const notifying: ScmiBackend = { ...baseProtocol, notifies: true };

const types: readonly Type[] = [
  {
    name: 'network',
    deviceId: 1,
    bits: {
      CSUM: 0, GUEST_CSUM: 1, CTRL_GUEST_OFFLOADS: 2, MTU: 3, MAC: 5, GUEST_TSO4: 7, GUEST_TSO6: 8, GUEST_ECN: 9, GUEST_UFO: 10, HOST_TSO4: 11,
      HOST_TSO6: 12, HOST_ECN: 13, HOST_UFO: 14, MRG_RXBUF: 15, STATUS: 16, CTRL_VQ: 17, CTRL_RX: 18, CTRL_VLAN: 19, CTRL_RX_EXTRA: 20,
      GUEST_ANNOUNCE: 21, MQ: 22, CTRL_MAC_ADDR: 23, DEVICE_STATS: 50, HASH_TUNNEL: 51, VQ_NOTF_COAL: 52, NOTF_COAL: 53, GUEST_USO4: 54,
      GUEST_USO6: 55, HOST_USO: 56, HASH_REPORT: 57, GUEST_HDRLEN: 59, RSS: 60, RSC_EXT: 61, STANDBY: 62, SPEED_DUPLEX: 63, RSS_CONTEXT: 64,
      GUEST_UDP_TUNNEL_GSO: 65, GUEST_UDP_TUNNEL_GSO_CSUM: 66, HOST_UDP_TUNNEL_GSO: 67, HOST_UDP_TUNNEL_GSO_CSUM: 68, OUT_NET_HEADER: 69, IPSEC: 70,
    },
    models: [(): DeviceModel => network({ number: 1, backend: loopBack() })],
  },
  {
    name: 'block',
    deviceId: 2,
    bits: {
      SIZE_MAX: 1, SEG_MAX: 2, GEOMETRY: 4, RO: 5, BLK_SIZE: 6, FLUSH: 9, TOPOLOGY: 10, CONFIG_WCE: 11, MQ: 12, DISCARD: 13, WRITE_ZEROES: 14,
      LIFETIME: 15, SECURE_ERASE: 16, ZONED: 17,
    },
    models: [
      (): DeviceModel => block({ number: 1, queues: 2, backend: ramDisk({ sectors: 16 }) }),
      (): DeviceModel => block({ number: 1, backend: flashDisk({ window: 'high', offset: 0, sectors: 8 }) }),
    ],
  },
  { name: 'console', deviceId: 3, bits: { SIZE: 0, MULTIPORT: 1, EMERG_WRITE: 2 }, models: [(): DeviceModel => consoleDevice({ number: 1, ports: [port, port], size: [80, 25] })] },
  { name: 'entropy', deviceId: 4, bits: {}, models: [(): DeviceModel => entropy({ number: 1 })] },
  { name: 'rtc', deviceId: 17, bits: { ALARM: 0 }, models: [(): DeviceModel => rtc({ number: 1 })] },
  { name: 'input', deviceId: 18, bits: {}, models: [(): DeviceModel => input({ number: 1, name: 'key' })] },
  { name: 'scmi', deviceId: 32, bits: { P2A_CHANNELS: 0, SHARED_MEMORY: 1 }, models: [(): DeviceModel => scmi({ number: 1, backend: notifying })] },
  { name: 'i2c', deviceId: 34, bits: { ZERO_LENGTH_REQUEST: 0 }, models: [(): DeviceModel => i2c({ number: 1 })] },
  { name: 'can', deviceId: 36, bits: { CAN_CLASSIC: 0, CAN_FD: 1, RTR_FRAMES: 2, LATE_TX_ACK: 3 }, models: [(): DeviceModel => can({ number: 1 })] },
  { name: 'gpio', deviceId: 41, bits: { IRQ: 0 }, models: [(): DeviceModel => gpio({ number: 1, lines: 2 })] },
  { name: 'spi', deviceId: 45, bits: {}, models: [(): DeviceModel => spi({ number: 1 })] },
];

/** The doc comment of the function that makes a device of this type, as one line. */
function comment(name: string): string {
  const source = readFileSync(path.join(packageRoot, 'firmware', 'devices', `${name}.ts`), 'utf8');
  const found = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\nexport function ${name}\\(`).exec(source);
  assert.ok(found?.[1] !== undefined, `${name}.ts has a doc comment`);
  return found[1].replace(/\n? \*/g, ' ').replace(/\s+/g, ' ');
}

/** Why a feature is not offered: what follows its name, and those named with it, in the part that lists such features. */
function reason(text: string, name: string): string | undefined {
  const part = text.split('Not offered:')[1] ?? '';
  return new RegExp(`\\b${name}\\b(?:,? (?:and )?[A-Z][A-Z0-9_]+)*(?::|, since|, which|, for) ([^;.]{10,})`).exec(part)?.[1];
}

types.forEach(({ name, deviceId, bits, models }) => {
  test(`${name}: each of its ${Object.keys(bits).length} feature bits is offered and accepted, or the doc comment says why not`, () => {
    const text = comment(name);
    const seen = new Set<number>();
    models.forEach((model) => {
      const offered = model().features;
      assert.equal(model().type.deviceId, deviceId);
      offered.forEach((bit) => seen.add(bit));
      // A driver that takes all of it reaches DRIVER_OK, and the words on the wire hold nothing else below the bits of the transport.
      const bench = benchOf(model(), { features: offered, queues: [] });
      assert.equal(bench.device.features()[0], offered.reduce((sum, bit) => sum + 2 ** bit, 0));
    });
    for (const [feature, bit] of Object.entries(bits)) {
      const why = reason(text, feature);
      if (seen.has(bit)) {
        assert.match(text.split('Not offered:')[0] ?? '', new RegExp(`\\b${feature}\\b`), `${feature} is offered, and the comment names it`);
        assert.equal(why, undefined, `${feature} is offered`);
      } else {
        assert.ok(why !== undefined, `${feature} is not offered, and the comment of ${name}() does not say why`);
      }
      seen.delete(bit);
    }
    assert.deepEqual([...seen], [], 'nothing is offered that the type does not have');
    if (Object.keys(bits).length === 0) {
      assert.match(text, /The type has no features/);
    }
  });
});

test('a feature without a reason is found', () => {
  assert.equal(reason('Offered: A. Not offered: BB, CC: too dear for this core; DD.', 'DD'), undefined);
  assert.equal(reason('Offered: A. Not offered: BB, CC: too dear for this core; DD.', 'BB'), 'too dear for this core');
  assert.equal(reason('Offered: A. Not offered: BB, CC: too dear for this core; DD.', 'A'), undefined);
});
