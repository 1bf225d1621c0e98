// The image for RPU core 0 of a Zynq UltraScale+ on QEMU's xlnx-zcu102: it starts, serves its natives, and is protected.
//
// That machine gives the RPU no interrupt controller and no IPI, so nothing that waits can run there: vexpress-r5 shows that.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { qemuVersion } from '../../tools/emulator/qemu.js';
import { note } from '../../tools/support/record.js';
import { build, silent } from './machine.js';

/** A hang guard, far above what a start takes. */
const hangMilliseconds = 900_000;

/** QEMU starts no RPU core by itself: a core that is not to stay off is told so, and everything is reset. */
const start = [
  { execute: 'qmp_capabilities' },
  { execute: 'qom-set', arguments: { path: '/machine/soc/rpu-cluster/rpu-cpu[0]', property: 'start-powered-off', value: false } },
  { execute: 'system_reset' },
  { execute: 'cont' },
];

/** Runs an image on RPU core 0 until its serial line has a line that matches; returns what it said. */
function runOnRpu(image: string, folder: string, last: RegExp): Promise<string> {
  const serial = path.join(folder, 'uart1.txt');
  const said = (): string => (existsSync(serial) ? readFileSync(serial, 'utf8') : '');
  return new Promise((resolve, reject) => {
    const child = spawn('qemu-system-aarch64', [
      '-M', 'xlnx-zcu102', '-smp', '6', '-m', '2048', '-global', 'xlnx-zynqmp.boot-cpu=rpu-cpu[0]', '-S', '-display', 'none', '-monitor', 'none',
      '-audiodev', 'none,id=none', '-qmp', 'stdio', '-serial', 'null', '-serial', `file:${serial}`, '-device', `loader,file=${image},cpu-num=4`,
    ], { stdio: ['pipe', 'pipe', 'pipe'] });
    let answers = '';
    child.stdout.on('data', (data: Buffer) => (answers += data.toString()));
    child.stderr.on('data', (data: Buffer) => (answers += data.toString()));
    const look = setInterval(() => {
      if (last.test(said())) {
        child.kill('SIGKILL');
      }
    }, 50);
    const guard = setTimeout(() => child.kill('SIGKILL'), hangMilliseconds);
    child.on('error', reject);
    child.on('close', () => {
      clearInterval(look);
      clearTimeout(guard);
      if (last.test(said())) {
        resolve(said());
      } else {
        reject(new Error(`${last} did not come:\n${said()}\n${answers}`));
      }
    });
    start.forEach((command) => child.stdin.write(`${JSON.stringify(command)}\n`));
  });
}

test('zynqmp-r5: the image starts on RPU core 0, reaches its window, and no core writes into it', async () => {
  const { image, folder } = await build('zynqmp-r5', `
    var bytes = new Uint8Array(native.memory(0));
    bytes[bytes.length - 1] = 7;
    native.fill(0, 0, 4096, 0x5a);
    native.copy(0, 8192, 0, 0, 4096);
    native.clean(0, 0, 100);
    native.invalidate(0, 0, 100);
    native.print('window ' + bytes.length + ' ' + bytes[12287] + ' ' + bytes[12288] + ' ' + bytes[bytes.length - 1]);
    native.print('trace ' + String.fromCharCode.apply(null, new Uint8Array(native.memory(1)).subarray(0, 100)).split('\\n')[1]);
    native.registerWrite(0, 0x3ecf0000, 0, 0); // 3e000000, the image's first byte`, silent);
  const said = await runOnRpu(image.device, folder, /^fatal: .*\n/m);
  assert.match(said, /^window 1048576 90 0 7$/m);
  assert.match(said, /^trace window 1048576/m, 'what is said also lies in the trace buffer');
  assert.match(said, /^fatal: the processor took a data abort dfsr=0000080d dfar=3e000000 .*pc=3e0[0-9a-f]{5}$/m);
  note({ target: 'zynqmp-r5', engine: 'duktape', ranOn: `${qemuVersion()}, start-up only`, test: 'test/platforms/zynqmp.test.ts' });
});
