// Rings that have been round: after one lap of every counter the firmware stands where it began, so that any number of buffers
// is that lap again and again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as tables from '../../../firmware/virtqueue/queue-table.hot.js';
import { closeQueue } from '../../../firmware/virtqueue/queue.hot.js';
import { element, Lab, LAB_BUFFERS } from '../../support/lab.js';

/** Chains of one batch. */
const BATCH = 64;

/** Every table of the queue rows, as the firmware keeps them between two passes. */
function remembered(): Record<string, number[]> {
  closeQueue();
  const rows: Record<string, number[]> = {};
  Object.entries(tables as Record<string, unknown>).forEach(([name, table]) => {
    if (table instanceof Uint8Array || table instanceof Uint16Array || table instanceof Int32Array) {
      rows[name] = Array.from(table);
    }
  });
  assert.ok(Object.keys(rows).length >= 15, 'the tables are found');
  return rows;
}

/** Offers, serves and takes `count` chains, all of them known to the driver's half. */
function serve(lab: Lab, count: number): void {
  for (let chain = 0; chain < count; chain++) {
    lab.queue.add([element(LAB_BUFFERS, 8, true)]);
  }
  lab.go();
  assert.equal(lab.taken().length, count);
}

[false, true].forEach((eventIdx) => {
  test('R-355 a split ring that has served 65536 chains stands where it began' + (eventIdx ? ', with EVENT_IDX' : ''), () => {
    const lab = new Lab({ size: BATCH, eventIdx });
    serve(lab, BATCH);
    const before = remembered();
    for (let batch = 1; batch <= 65536 / BATCH; batch++) {
      serve(lab, BATCH);
      if (batch === 300) {
        assert.notDeepEqual(remembered(), before, 'half way it stands elsewhere');
      }
    }
    assert.deepEqual(remembered(), before);
  });
});

[1, 3, 64, 100].forEach((size) => {
  test('R-382 R-404 a packed ring of ' + size + ' stands where it began after two laps', () => {
    const lab = new Lab({ packed: true, size, eventIdx: true });
    const before = remembered();
    for (let turn = 0; turn < 20; turn++) {
      for (let lap = 0; lap < 2; lap++) {
        serve(lab, Math.ceil(size / 2));
        serve(lab, Math.floor(size / 2));
        if (lap === 0) {
          assert.notDeepEqual(remembered(), before, 'the wrap counter differs');
        }
      }
      assert.deepEqual(remembered(), before);
    }
  });
});

test('R-163 the epoch of a queue runs over its 16 bits and comes around', () => {
  const lab = new Lab({ size: 8 });
  const areas = lab.queue.areas();
  tables.queueEpoch[lab.row] = 65534;
  for (const epoch of [65535, 0, 1]) {
    lab.resetQueue();
    assert.equal(tables.queueEpoch[lab.row], epoch);
    lab.queue = lab.newQueue();
    lab.setQueue(1, 0, 8, areas);
    lab.settle();
    serve(lab, 8);
  }
});
