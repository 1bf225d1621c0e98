// Queues waiting to be served: every kicked queue once, oldest first.
import { Capacity } from '../capacity.js';

const list = new Uint8Array(Capacity.Queues);
/** 1 = the queue stands in the list. */
const listed = new Uint8Array(Capacity.Queues);
let first = 0;
/** Queues in the list, and those among them that can wait until the loop wakes up next. */
export let kicked = 0;
export let later = 0;

function append(queue: number): void {
  listed[queue] = 1;
  let place = first + kicked;
  if (place >= Capacity.Queues) {
    place -= Capacity.Queues;
  }
  list[place] = queue;
  kicked += 1;
}

/** Has `queue` served in this pass or the next. */
export function kick(queue: number): void {
  if (listed[queue] === 0) {
    append(queue);
  }
}

/** Has `queue` served after the loop has slept a little: it waits for something that no doorbell announces. */
export function kickLater(queue: number): void {
  if (listed[queue] === 0) {
    append(queue);
    later += 1;
  }
}

/** True while `queue` waits to be served. */
export function isKicked(queue: number): boolean {
  return listed[queue] === 1;
}

/** Forgets all kicks: a new start. */
export function clearKicks(): void {
  kicked = 0;
  later = 0;
  for (let queue = 0; queue < Capacity.Queues; queue++) {
    listed[queue] = 0;
  }
}

/** Takes the oldest queue from the list, which is not empty. */
export function nextKicked(): number {
  const queue = list[first];
  first = first + 1 === Capacity.Queues ? 0 : first + 1;
  kicked -= 1;
  listed[queue] = 0;
  return queue;
}

/** A pass begins: what could wait has waited. */
export function endWaiting(): void {
  later = 0;
}

/** True when a queue waits that need not be waited for. */
export function anyKicked(): boolean {
  return kicked > later;
}
