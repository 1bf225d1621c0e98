// The README's first device, taken from the README itself, built and driven.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

test('the first device of the README builds, passes the bundle check and serves', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-readme-'));
  try {
    const blocks = [...readFileSync(path.join(root, 'README.md'), 'utf8').matchAll(/```ts\n\/\/ (\S+\.ts):[^\n]*\n([^]*?)```/g)];
    assert.deepEqual(blocks.map((block) => block[1]), ['answer.hot.ts', 'app.ts']);
    blocks.forEach((block) => writeFileSync(path.join(folder, block[1] as string), block[2] as string));
    const lines = blocks.map((block) => (block[2] as string).trim().split('\n').length).reduce((sum, count) => sum + count);
    assert.ok(lines <= 20, 'a first device takes at most 20 lines, not ' + lines);
    const args = ['--target', 'host', '--app', path.join(folder, 'app.ts'), '--program', path.join(root, 'test', 'emulator', 'programs', 'first-device.ts')];
    const { status, error } = await new Promise<{ status: number; error: string }>((resolve) => {
      execFile(process.execPath, ['tools/vmsg.mjs', 'sim', ...args], { cwd: root, timeout: 600000 }, (failure, _out, stderr) => {
        resolve({ status: failure === null ? 0 : ((failure.code as unknown as number) ?? -1), error: stderr });
      });
    });
    assert.equal(status, 0, error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
