// The bus the conformance suite is run against here: a specimen with everything cases ask for, between entropy devices.
import type { App, DeviceModel, NotificationOptions } from 'virtio-msg-device';
import { bus, entropy } from 'virtio-msg-device';
import { DEVICE_ID, FEATURES, hasDevice0, initialConfig, NUMBER, OTHERS, QUEUE_SIZES, REGION, RING_FEATURES, VENDOR_ID } from './facts.js';
import type { Mode } from '../runner/suite.js';
import { notifiedBus, POLL } from '../runner/ways.js';
import { attachGuest, attachSpecimen, busySpecimen, resetSpecimen, serveSpecimen, Specimen, startSpecimen, wakeSpecimen, writeSpecimen, writtenSpecimen } from './specimen.hot.js';

/** What the broken bus does otherwise (broken.ts). */
export interface Behaviour {
  readonly attach: (device: number, firstQueue: number) => void;
  readonly writeConfig: (device: number, offset: number, length: number) => boolean;
  readonly configWritten: (device: number, offset: number, length: number) => void;
}

const asItShould: Behaviour = { attach: attachSpecimen, writeConfig: writeSpecimen, configWritten: writtenSpecimen };

/** The device under test. */
export function specimen(behaviour: Behaviour = asItShould): DeviceModel {
  return {
    type: {
      name: 'specimen',
      deviceId: DEVICE_ID,
      serve: serveSpecimen,
      reset: resetSpecimen,
      writeConfig: behaviour.writeConfig,
      configWritten: behaviour.configWritten,
      start: startSpecimen,
      busy: busySpecimen,
      wake: wakeSpecimen,
      requires: [[1, 0]],
    },
    number: NUMBER,
    queueSizes: QUEUE_SIZES,
    queueFeatures: [-1, -1, 2],
    features: FEATURES,
    config: initialConfig(),
    regions: [REGION],
    attach: behaviour.attach,
  };
}

/** The application, for one mode. */
export function specimenApp(mode: Mode, behaviour: Behaviour = asItShould): App {
  const announced = notifiedBus(mode.notifications);
  return bus({
    notifications: announced.way as NotificationOptions,
    pollMicroseconds: announced.rings ? 100000 : POLL,
    profile: mode.profile,
    strictConfigGeneration: mode.strict,
    vendor: VENDOR_ID,
    ringFeatures: RING_FEATURES,
    devices: (hasDevice0(mode) ? OTHERS.slice(0, 1) : []).map(entropyAt).concat([specimen(behaviour)], OTHERS.slice(1).map(entropyAt), [guest()]),
  });
}

function entropyAt(number: number): DeviceModel {
  return entropy({ number });
}

/** An entropy device that is not there until it is commanded to come. */
function guest(): DeviceModel {
  const { type, queueSizes, features, config } = entropyAt(Specimen.GuestNumber);
  return { type, queueSizes, features, config, number: Specimen.GuestNumber, absent: true, attach: attachGuest };
}
