// No field that the driver can change is read twice: what was validated is what is used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { finish } from '../../../firmware/virtqueue/queue.hot.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import { SplitQueue } from '../../support/driver/split-queue.js';
import { element, HIGH, inWindow, Lab, LAB_BUFFERS, MAIN, windowBytes } from '../../support/lab.js';
import { atBarriers } from '../../support/watch.js';
import { watchWords } from '../../support/watch-words.js';

[false, true].forEach((packed) => {
  [false, true].forEach((indirect) => {
    const name = (packed ? 'packed' : 'split') + (indirect ? ' with tables' : '');
    test('R-342 between two chains no word of ring or table is read twice: ' + name, () => {
      const lab = new Lab({ packed, indirect, size: 16, eventIdx: true });
      const reads: string[] = [];
      let chains = 0;
      lab.plan = (chain) => {
        chains += 1;
        const twice = reads.filter((word, index) => reads.indexOf(word) !== index);
        assert.deepEqual(twice, [], 'words read twice for chain ' + chains);
        reads.length = 0;
        finish(lab.row, chain.handle, fillChain(0, chain.writableBytes, 1));
      };
      for (let turn = 0; turn < 3; turn++) {
        for (let chain = 0; chain < 4; chain++) {
          const elements = [element(LAB_BUFFERS, 4, false), element(8, 4, false, HIGH), element(LAB_BUFFERS + 16, 4, true)];
          lab.queue.add(elements, indirect ? inWindow(HIGH, 0x400 + chain * 64) : undefined);
        }
        lab.queue.publish();
        lab.bus.kick(1, 0);
        reads.length = 0;
        const stop = watchWords((window, word) => reads.push(window + ':' + word), () => undefined);
        lab.settle();
        stop();
        assert.equal(lab.taken().length, 4);
      }
      assert.equal(chains, 12);
    });

    test('R-342 R-420 a driver that changes every word the moment it has been read gains nothing: ' + name, () => {
      for (let mask = 1; mask < 0x10000; mask = mask * 2 + 1) {
        const lab = new Lab({ packed, indirect, size: 8 });
        const elements = [element(LAB_BUFFERS, 4, false), element(8, 4, false, HIGH), element(LAB_BUFFERS + 16, 4, true)];
        lab.queue.add(elements, indirect ? inWindow(HIGH, 0x400) : undefined);
        lab.queue.publish();
        const { queue } = lab;
        const ringEnd = queue instanceof SplitQueue ? queue.used : queue.driverEvent;
        lab.bus.kick(1, 0);
        const changed: [number, number, number][] = [];
        const stop = watchWords((window, word) => {
          const inRing = window === MAIN && word >= queue.descriptors / 2 && word < ringEnd / 2;
          const inTable = window === HIGH && word >= 0x200 && word < 0x240;
          if (inRing || inTable) {
            changed.push([window, word, mask]);
          }
        }, () => undefined);
        // Behind each read the word differs: the change is made when the next access comes.
        const change = (): void => {
          changed.splice(0).forEach(([window, word, bits]) => {
            const place = inWindow(window, 0);
            place.words[word] = (place.words[word] ?? 0) ^ bits;
          });
        };
        const stopBarriers = atBarriers(change);
        lab.settle();
        stopBarriers();
        stop();
        lab.chains.forEach((chain) => {
          chain.elements.forEach((one) => assert.ok(one.offset + one.bytes <= windowBytes(one.window).length));
        });
        lab.expectAlive();
      }
    });
  });
});

test('R-345 nothing the device itself has written is read', () => {
  const lab = new Lab({ eventIdx: true, size: 8 });
  const { queue } = lab;
  assert.ok(queue instanceof SplitQueue);
  const read: number[] = [];
  const stop = watchWords((window, word) => (window === MAIN ? read.push(word * 2) : undefined), () => undefined);
  for (let turn = 0; turn < 20; turn++) {
    queue.add([element(LAB_BUFFERS, 4, true)]);
    lab.go();
    lab.taken();
  }
  stop();
  assert.deepEqual(read.filter((byte) => byte >= queue.used && byte < queue.end()), []);
});

test('R-343 R-344 R-393 R-400 only used ring, used descriptors, own event words and writable bytes are written', () => {
  [false, true].forEach((packed) => {
    const lab = new Lab({ eventIdx: true, packed, indirect: true, size: 8 });
    const { queue } = lab;
    const wrote: number[] = [];
    queue.add([element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS + 16, 4, true)]);
    queue.add([element(LAB_BUFFERS, 4, false), element(LAB_BUFFERS + 32, 4, true)], inWindow(HIGH, 0));
    queue.publish();
    lab.bus.kick(1, 0);
    const stop = watchWords(() => undefined, (window, word) => (window === MAIN ? wrote.push(word * 2) : assert.fail('a write into window ' + window)));
    lab.settle();
    stop();
    const own = wrote.filter((byte) =>
      queue instanceof PackedQueue
        ? !(byte >= queue.deviceEvent && byte < queue.deviceEvent + 4) &&
          // Used descriptors stand at slots 0 and 2: length, id and flags.
          !(byte >= queue.descriptors + 8 && byte < queue.descriptors + 16) &&
          !(byte >= queue.descriptors + 40 && byte < queue.descriptors + 48)
        : !(byte >= queue.used && byte < queue.end()),
    );
    assert.deepEqual(own, []);
  });
});
