// More than two million messages through the minified bundle in Duktape, as a host process: none is lost, nothing is allocated.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figures, packaged, runScene } from '../../tools/emulator/scene.js';
import { discards } from '../../tools/emulator/summary.js';

const LOG = { run: 3, driverShutdown: 4, driverOk: 8 };

test('R-033 R-421 R-422 a soak of two million messages, with 0 allocations after start-up', async () => {
  const result = await runScene({
    target: 'host',
    app: packaged('test', 'emulator', 'apps', 'two-entropy.ts'),
    program: packaged('test', 'emulator', 'programs', 'soak.ts'),
    limitSeconds: 1500,
    onStep: () => undefined,
  });
  assert.equal(result.status, 0, result.driver.concat(result.device.slice(-3)).join('\n'));
  const counted = figures(result.driver);
  assert.ok((counted.get('soak-messages') ?? 0) >= 2000000);
  const started = result.log.find(({ code }) => code === LOG.run);
  const ended = result.log.find(({ code }) => code === LOG.driverShutdown);
  assert.ok(started !== undefined && ended !== undefined);
  assert.deepEqual([ended.allocations - started.allocations, ended.collections - started.collections], [0, 0]);
  // Every bad message was counted under its reason, and no good one.
  const each = (counted.get('soak-dropped') ?? NaN) / 3;
  assert.deepEqual([...discards(result.log)], [['no such device', each], ['unknown id', each], ['payload too short', each]]);
  assert.equal(result.log.filter(({ code }) => code === LOG.driverOk).length, each + 1, 'the restless device has started with every batch');
});
