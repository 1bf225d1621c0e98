// An input backend without hardware: somebody taps one key, down and up, once a second.
import { wakeAfter } from '../serving/wake.hot.js';
import { report } from './input.hot.js';

const enum Tap {
  Interval = 1000000,
  /** EV_SYN, EV_KEY, KEY_A of the Linux input event codes. */
  Syn = 0,
  Key = 1,
  KeyA = 30,
}

/** As `InputBackend.look`. */
export function tapKey(device: number): void {
  report(device, Tap.Key, Tap.KeyA, 1);
  report(device, Tap.Syn, 0, 0);
  report(device, Tap.Key, Tap.KeyA, 0);
  report(device, Tap.Syn, 0, 0);
  wakeAfter(device, Tap.Interval);
}
