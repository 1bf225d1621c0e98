// Events of the app guest's input device: a key and a movement in steps that a reader can follow; each lamp is answered by another key.
import { windowWords } from '#port';
import { report } from '../devices/input.hot.js';
import { privateWindow } from '../memory/private.hot.js';
import { wakeAfter } from '../serving/wake.hot.js';

const enum Guest {
  /** Microseconds between two groups. */
  Interval = 20000,
  /** Types and codes of the Linux input event codes: EV_SYN, EV_KEY with KEY_A and KEY_B, EV_REL with REL_X, EV_LED. */
  Syn = 0,
  Key = 1,
  KeyA = 30,
  KeyB = 48,
  Relative = 2,
  RelativeX = 0,
  Lamp = 17,
  /** Movements go from 1 up to this and begin anew: 0 would be none. */
  Farthest = 100,
}

let moved = 0;

/** As `InputBackend.look`: one group, the key goes down with odd movements and up with even ones. */
export function stepGuest(device: number): void {
  moved = moved === Guest.Farthest ? 1 : moved + 1;
  report(device, Guest.Key, Guest.KeyA, moved & 1);
  report(device, Guest.Relative, Guest.RelativeX, moved);
  report(device, Guest.Syn, 0, 0);
  wakeAfter(device, Guest.Interval);
}

/** As `InputBackend.status`: the key goes down when a lamp goes on, and up when it goes out. */
export function answerLamp(device: number, at: number): void {
  const memory = windowWords[privateWindow];
  if (memory[at] === Guest.Lamp) {
    report(device, Guest.Key, Guest.KeyB, memory[at + 2] & 1);
    report(device, Guest.Syn, 0, 0);
  }
}
