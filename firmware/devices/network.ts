// Describes a network device to the stack, and the backends that stand behind one.
import { windowWords } from '#port';
import { allocate } from '../memory/private.js';
import { privateWindow } from '../memory/private.hot.js';
import type { DeviceModel, DeviceType } from './device-model.js';
import { le16 } from './little-endian.js';
import type { NetTransmit } from './network.hot.js';
import {
  filterAt,
  heldAt,
  Net,
  netBackend,
  netDropped,
  netLinkUp,
  netMtu,
  netTransmits,
  ownAddressAt,
  resetNetwork,
  serveNetwork,
  slotBytes,
  slotCount,
  slotFirst,
  slotsAt,
  slotsUsed,
} from './network.hot.js';
import { switchOf, transmitLoopBack, transmitSwitched } from './network-backends.hot.js';
import { rowOf } from '../transport/type-rows.js';

/** The functions of a kind of network backend: hot functions, see network.hot.ts. Frames for the driver: `frameSlot`, `frameArrived`. */
export interface NetworkBackendType {
  readonly transmit: NetTransmit;
}

export interface NetworkBackend {
  readonly type: NetworkBackendType;
  /** Takes what the backend needs; called once, with the device's row. */
  readonly attach: (device: number) => void;
}

export interface NetworkOptions {
  /** Device number on the bus. */
  readonly number: number;
  readonly backend: NetworkBackend;
  /** Ethernet address, "02:00:00:00:00:01"; 02:76:6d:73:67 and the number by default. */
  readonly mac?: string;
  /** Largest payload of a frame, 68..9000; 1500 by default. */
  readonly mtu?: number;
  /** Frames that may wait for the driver, 1..255; 4 by default. Each takes mtu + 26 bytes. */
  readonly frames?: number;
  /**
   * False leaves out feature STATUS: the link is then always up. The older Linux virtio-msg driver needs that: with STATUS two
   * requests to the device are under way at once when it starts, of which that driver loses one (docs/linux.md).
   */
  readonly linkStatus?: boolean;
  /** Largest size of each queue; 64 by default. */
  readonly queueSize?: number;
}

const enum Bit {
  Mtu = 3,
  Mac = 5,
  MergeableBuffers = 15,
  Status = 16,
  ControlQueue = 17,
  ControlReceive = 18,
  ControlMac = 23,
}

const networkType: DeviceType = {
  name: 'network',
  deviceId: 1,
  serve: serveNetwork,
  reset: resetNetwork,
  requires: [
    [Bit.ControlReceive, Bit.ControlQueue],
    [Bit.ControlMac, Bit.ControlQueue],
  ],
};

const backendTypes: NetworkBackendType[] = [];

/** Enters a type's functions into the tables. */
function enterBackend(type: NetworkBackendType): void {
  netTransmits.push(type.transmit);
}

/**
 * A network device (virtio device id 1). Offered: MAC, STATUS, MTU, MRG_RXBUF, CTRL_VQ with CTRL_RX and CTRL_MAC_ADDR. Throws an Error
 * with one sentence for wrong options.
 *
 * Not offered:
 * - CSUM, GUEST_CSUM, CTRL_GUEST_OFFLOADS, GUEST_TSO4, GUEST_TSO6, GUEST_ECN, GUEST_UFO, GUEST_USO4, GUEST_USO6, GUEST_HDRLEN, HOST_TSO4,
 *   HOST_TSO6, HOST_ECN, HOST_UFO, HOST_USO, RSC_EXT, GUEST_UDP_TUNNEL_GSO, GUEST_UDP_TUNNEL_GSO_CSUM, HOST_UDP_TUNNEL_GSO,
 *   HOST_UDP_TUNNEL_GSO_CSUM: checksums and segments would cost a core without the hardware more than they save its driver;
 * - MQ, RSS, HASH_REPORT, HASH_TUNNEL, RSS_CONTEXT: one core serves all queues anyway;
 * - CTRL_RX_EXTRA, CTRL_VLAN: the driver's host has these filters itself;
 * - GUEST_ANNOUNCE, STANDBY: there is no migration;
 * - NOTF_COAL, VQ_NOTF_COAL: a pass notifies once however many frames it moved, and waits for no more;
 * - DEVICE_STATS: the one thing a driver cannot count itself is what was dropped, and that is for the application (`netDropped`);
 * - SPEED_DUPLEX: what is between the two cores is memory, without a rate;
 * - OUT_NET_HEADER, IPSEC: nothing here encrypts.
 */
export function network(options: NetworkOptions): DeviceModel {
  const mtu = options.mtu === undefined ? 1500 : options.mtu;
  const frames = options.frames === undefined ? 4 : options.frames;
  const queueSize = options.queueSize === undefined ? 64 : options.queueSize;
  const mac = options.mac === undefined ? '02:76:6d:73:67:' + (256 + (options.number % 256)).toString(16).substring(1) : options.mac;
  const bytesOfMac = mac.split(':');
  const refuse = (reason: string): never => {
    throw new Error('network device ' + options.number + ': ' + reason);
  };
  if (bytesOfMac.length !== 6 || !bytesOfMac.every((byte) => /^[0-9a-fA-F][0-9a-fA-F]$/.test(byte)) || parseInt(mac.substring(0, 2), 16) % 2 === 1) {
    refuse('"' + mac + '" is not the Ethernet address of one machine');
  }
  if (!(mtu >= 68 && mtu <= 9000 && mtu % 1 === 0)) {
    refuse('an mtu lies between 68 and 9000');
  }
  if (!(frames >= 1 && frames <= 255 && frames % 1 === 0)) {
    refuse('1 to 255 frames may wait');
  }
  const address = mac.split(':').map((byte) => parseInt(byte, 16));
  return {
    type: networkType,
    number: options.number,
    queueSizes: [queueSize, queueSize, queueSize],
    queueFeatures: [-1, -1, Bit.ControlQueue],
    features: [Bit.Mtu, Bit.Mac, Bit.MergeableBuffers, Bit.ControlQueue, Bit.ControlReceive, Bit.ControlMac].concat(options.linkStatus === false ? [] : [Bit.Status]),
    config: address.concat(le16(1), le16(1), le16(mtu)),
    attach(device: number): void {
      netMtu[device] = mtu;
      netLinkUp[device] = 1;
      netDropped[device] = 0;
      netBackend[device] = rowOf(backendTypes, options.backend.type, enterBackend);
      slotBytes[device] = Math.ceil((mtu + Net.TaggedBytes + Net.SlotHeader) / 8) * 8;
      slotCount[device] = frames;
      slotFirst[device] = 0;
      slotsUsed[device] = 0;
      slotsAt[device] = allocate(slotBytes[device] * frames);
      filterAt[device] = allocate(Net.FilterEntries * 2 * 6) / 2;
      heldAt[device] = allocate(Net.Buffers * Net.HeldBytes);
      ownAddressAt[device] = allocate(6);
      const words = windowWords[privateWindow];
      for (let half = 0; half < 3; half++) {
        words[ownAddressAt[device] / 2 + half] = address[half * 2] + address[half * 2 + 1] * 256;
      }
      switchOf[device] = 0;
      options.backend.attach(device);
    },
  };
}

const loopBackType: NetworkBackendType = { transmit: transmitLoopBack };

/** Every frame comes back to its sender. */
export function loopBack(): NetworkBackend {
  return {
    type: loopBackType,
    attach(): void {
      return;
    },
  };
}

const switchType: NetworkBackendType = { transmit: transmitSwitched };
let switches = 0;

/** A switch: give the same one to two or more network devices, on one bus or several, and their drivers can talk. */
export function networkSwitch(): NetworkBackend {
  switches = (switches % 255) + 1;
  const number = switches;
  return {
    type: switchType,
    attach(device: number): void {
      switchOf[device] = number;
    },
  };
}
