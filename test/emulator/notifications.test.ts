// Every way to announce buffers, through the minified bundle: on an emulated SoC with its mailbox, and in the host process.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { figures, packaged, runScene } from '../../tools/emulator/scene.js';

const LOG = { driverOk: 8, driverShutdown: 4 };
/** Microseconds between two looks of a device side that nobody rings. */
const POLL = 2000;

const SOC = 'mps2-an521-m33';
/** The same bundle in a process; half of the ways run there, since an emulated machine takes its time. */
const HOST = 'host';

interface Scene {
  readonly name: string;
  readonly notifications: string;
  /** False: the driver side rings nothing, and the device side polls. */
  readonly rings: boolean;
  readonly target: string;
}

const scenes: readonly Scene[] = [
  { name: 'messages', notifications: "{ kind: 'messages' }", rings: true, target: HOST },
  { name: 'messages-polled', notifications: "{ kind: 'messages' }", rings: false, target: SOC },
  { name: 'doorbell', notifications: "{ kind: 'doorbell' }", rings: true, target: SOC },
  { name: 'doorbell-polled', notifications: "{ kind: 'doorbell' }", rings: false, target: HOST },
  { name: 'direct', notifications: "{ kind: 'words', words: 1, bitsPerDevice: 4 }", rings: true, target: HOST },
  { name: 'direct-masked', notifications: "{ kind: 'words', words: 1, bitsPerDevice: 4, masked: true }", rings: true, target: SOC },
  { name: 'cascaded', notifications: "{ kind: 'words', words: 3, bitsPerDevice: 8 }", rings: true, target: SOC },
  { name: 'cascaded-masked', notifications: "{ kind: 'words', words: 3, bitsPerDevice: 8, masked: true }", rings: true, target: HOST },
];

/** Writes the app and the program of a scene; returns their files. */
function entries({ name, notifications, rings, target }: Scene): { app: string; program: string } {
  const folder = path.resolve('build', target);
  mkdirSync(folder, { recursive: true });
  const write = (role: string, text: string): string => {
    const file = path.join(folder, `notified-${name}-${role}.ts`);
    writeFileSync(file, text);
    return file;
  };
  const from = (folderName: string): string => JSON.stringify(packaged('test', 'emulator', folderName, 'notified.js'));
  return {
    app: write('app', `import { notifiedApp } from ${from('apps')};\n\nexport default notifiedApp(${notifications}, ${rings ? 100000 : POLL});\n`),
    program: write('program', `import { notified } from ${from('programs')};\n\nnotified(${notifications}, ${rings});\n`),
  };
}

scenes.forEach((scene) => {
  const { name, notifications, target } = scene;
  test(`R-265 R-270 R-271 R-272 R-274 R-278 ${target}, ${name}: no used buffer, no change and no answer is lost, and nothing allocated`, async () => {
    const result = await runScene({ target, ...entries(scene), limitSeconds: 300, onStep: () => undefined });
    assert.equal(result.status, 0, result.driver.concat(result.device.slice(-3)).join('\n'));
    const counted = figures(result.driver);
    assert.deepEqual([counted.get('buffers'), counted.get('changes'), counted.get('answers')], [93, 31, 6]);
    // Out of band, used buffers are told although the message queue is full.
    assert.equal(counted.get('past-full-queues'), notifications.includes('messages') ? undefined : 1);
    const started = result.log.filter(({ code }) => code === LOG.driverOk).pop();
    const ended = result.log.find(({ code }) => code === LOG.driverShutdown);
    assert.ok(started !== undefined && ended !== undefined);
    assert.deepEqual([ended.allocations - started.allocations, ended.collections - started.collections], [0, 0]);
  });
});
