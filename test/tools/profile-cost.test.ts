// What the choice of a wire profile costs: instructions of a status round on the emulated Cortex-M33.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchStatus } from '../../tools/commands/bench.js';

test('a status round takes the same instructions in profiles A and C, within 3 %, and in B only what its longer header costs', async () => {
  const a = await benchStatus('mps2-an521-m33', 'duktape', 'a');
  const b = await benchStatus('mps2-an521-m33', 'duktape', 'b');
  const c = await benchStatus('mps2-an521-m33', 'duktape', 'c');
  const figures = [a, b, c].map(({ instructionsEach }) => instructionsEach);
  const [ofA, ofB, ofC] = figures as [number, number, number];
  assert.ok(ofA > 1000 && Math.abs(ofC / ofA - 1) <= 0.03, figures.join(', '));
  // Three more words of the device number are looked at.
  assert.ok(ofB / ofA <= 1.05, figures.join(', '));
  assert.deepEqual([a, b, c].map(({ allocations, collections }) => allocations + collections), [0, 0, 0]);
});
