// A split ring of 256 that is always full, served in batches of 32 as fast as the engine can: `vmsg bench --node` has it run
// in Node, where a JIT makes it fast. Prints requests and microseconds of each slice.
//
// Whoever runs it writes into window 0 first: milliseconds of a slice, the number of elements of a request, then length and
// direction (1 = writable) of each.
import { clock, print, windows, windowWords } from '#driver-port';
import { addWindows } from '../../../firmware/memory/windows.js';
import { configureQueue, stageAreas } from '../../../firmware/virtqueue/queue.hot.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import type { DriverMachine } from '../../support/driver/machine.js';
import type { Element } from '../../support/driver/ring-memory.js';
import { serveBatches } from './busy-ring.hot.js';

const SIZE = 256;
const BATCH = 32;
const QUEUE_AT = 0x10000;
const DATA_AT = 0x40000;
/** Where the addresses of the areas stand for `stageAreas`: twelve words. */
const SET_UP_AT = 0x1000;
/** Slices, one more to warm up. */
const SLICES = 10;
const ENABLE = 1;

const memory = windowWords[0];
const elements: Element[] = [];
const slice = memory[0] * 1000;
for (let number = 0; number < memory[1]; number++) {
  elements.push({ offset: DATA_AT + number * 0x400, bytes: memory[2 + number * 2], writable: memory[3 + number * 2] === 1 });
}
const machine: DriverMachine = {
  words: memory,
  addressLow: parseInt(windows[0].driverAddress.substring(10), 16),
  addressHigh: 0,
  layout: 0,
  ring: () => undefined,
  wait: () => undefined,
  barrier: () => undefined,
  clock,
};

/** As many chains as there are descriptors for, each of them at several places of the ring. */
function fullRing(): SplitQueue {
  const queue = new SplitQueue(machine, QUEUE_AT, SIZE);
  const heads: number[] = [];
  while (queue.room() >= elements.length) {
    heads.push(queue.add(elements));
  }
  for (let place = heads.length; place < SIZE; place++) {
    queue.offer(heads[place % heads.length]);
  }
  // What a notification costs is the transport's.
  queue.suppress(1);
  return queue;
}

addWindows(windows);
const queue = fullRing();
queue.areas().forEach((address, area) => {
  const at = SET_UP_AT / 2 + area * 4;
  memory[at] = address[0] % 65536;
  memory[at + 1] = Math.floor(address[0] / 65536);
  memory[at + 2] = 0;
  memory[at + 3] = 0;
});
stageAreas(0, 0, 0, SET_UP_AT / 2);
let fine = configureQueue(0, SIZE, ENABLE, 0);
for (let turn = 0; turn <= SLICES && fine; turn++) {
  const start = clock();
  let requests = 0;
  while (fine && clock() - start < slice) {
    fine = serveBatches(0, queue.available / 2 + 1, BATCH, 1000);
    requests += 1000 * BATCH;
  }
  if (turn > 0 && fine) {
    print(requests + ' ' + (clock() - start));
  }
}
if (!fine) {
  print('! the ring stopped');
}
