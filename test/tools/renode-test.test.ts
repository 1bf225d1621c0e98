// Finding Renode and counting what its robot suites came to; the programs here only look like Renode.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { buildScenes, passedScenes, robotCounts, runSuites } from '../../tools/commands/renode-test.js';
import { findRenode, runOnRenode } from '../../tools/emulator/renode.js';
import { driverBoard, readBoard } from '../../tools/image/board.js';
import { knownTargets, packageRoot } from '../../tools/targets.js';

/** What the scene of the AM62x shares with its board.json. */
interface Am62x {
  readonly registers: readonly { readonly address: string }[];
  readonly interrupts: readonly { readonly line: number }[];
  readonly mailbox: Readonly<Record<'user' | 'driverUser' | 'controlReceive' | 'controlTransmit' | 'receive', number>>;
  readonly timer: { readonly hertz: number };
  readonly driverCore: Pick<Am62x, 'registers' | 'interrupts' | 'timer'> & { readonly uart: string };
}

const folder = mkdtempSync(path.join(tmpdir(), 'vmsg-renode-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A folder with programs of Renode's names: one says a version, the other one does what `suite` says. */
function pretend(name: string, version: string, suite = 'exit 0'): string {
  const place = path.join(folder, name);
  mkdirSync(place);
  writeFileSync(path.join(place, 'renode'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
  writeFileSync(path.join(place, 'renode-test'), `#!/bin/sh\n${suite}\n`, { mode: 0o755 });
  return place;
}

/** Robot's totals as it writes them. */
const totals = (pass: number, fail: number): string =>
  `<robot><statistics><total><stat pass="${pass}" fail="${fail}" skip="0">All Tests</stat></total><tag></tag><suite><stat pass="9" fail="9" skip="9">x</stat></suite></statistics></robot>`;

/** Keeps the arguments and writes totals into the folder behind -r. */
const writes = (place: string, xml: string, status: number): string =>
  `echo "$@" > '${place}'\nwhile [ "$1" != -r ]; do shift; done\nmkdir -p "$2"\necho '${xml}' > "$2/robot_output.xml"\nexit ${status}`;

test('Renode is found by RENODE, its folder or its program, before PATH', async () => {
  const [named, onPath] = [pretend('named', 'Renode v1.16.1.4523'), pretend('on-path', 'Renode v2.0.0')];
  for (const value of [named, path.join(named, 'renode'), path.join(named, 'renode-test')]) {
    assert.deepEqual(await findRenode({ RENODE: value, PATH: onPath }), { program: path.join(named, 'renode'), test: path.join(named, 'renode-test'), version: '1.16.1.4523' });
  }
  assert.deepEqual(await findRenode({ PATH: `/nowhere:${onPath}` }), { program: path.join(onPath, 'renode'), test: path.join(onPath, 'renode-test'), version: '2.0.0' });
  assert.equal(await findRenode({ PATH: '/nowhere' }), undefined);
});

test('a Renode that cannot be used is one sentence', async () => {
  await assert.rejects(findRenode({ RENODE: '/nowhere', PATH: '' }), /^UserError: RENODE is '\/nowhere', but there are no renode and renode-test\.$/);
  for (const [name, version] of [['old-minor', '1.15.3'], ['old-major', '0.99.0']] as const) {
    await assert.rejects(findRenode({ RENODE: pretend(name, `Renode, version ${version}`) }), new RegExp(`^UserError: Renode ${version} in .* is too old: the scenes need 1\\.16 or later\\.$`));
  }
  await assert.rejects(findRenode({ RENODE: pretend('mute', 'hello') }), /says no version\.$/);
});

/** Runs vmsg without a Renode on PATH. */
function vmsg(...args: string[]): Promise<{ status: unknown; out: string; error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['tools/vmsg.mjs', ...args], { cwd: packageRoot, env: { PATH: path.dirname(process.execPath) } }, (error, out, stderr) => {
      resolve({ status: error?.code ?? 0, out, error: stderr });
    });
  });
}

test('an emulator that cannot run the target is one sentence that says what can', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--emulator', 'bochs'], /^vmsg: --emulator takes qemu or renode, not 'bochs'\.\n$/],
    [['--target', 'rt700-m33', '--emulator', 'qemu'], /^vmsg: Target 'rt700-m33' cannot be run by --emulator qemu: renode can run it\.\n$/],
    [['--target', 'vexpress-r5', '--emulator', 'renode'], /^vmsg: Target 'vexpress-r5' cannot be run by --emulator renode: qemu can run it\.\n$/],
    [['--target', 'host', '--emulator', 'renode'], /^vmsg: Target 'host' cannot be run by --emulator renode: it is a process of this machine\.\n$/],
    [['--target', 'rt700-m33'], /^vmsg: Target 'rt700-m33' needs Renode, which was not found: set RENODE to the folder of Renode 1\.16 or later, or put it on PATH\.\n$/],
  ];
  for (const [args, sentence] of cases) {
    const { status, error } = await vmsg('sim', ...args);
    assert.notEqual(status, 0);
    assert.match(error, sentence);
  }
});

/** A Renode that does this with the file for the driver's lines, $f. */
const monitor = (what: string): string => `f=$(echo "$5" | sed 's/.*driverLines=@\\([^;]*\\);.*/\\1/')\n${what}\n`;
const untilQuit = 'while read -r line; do echo "$line"; [ "$line" = quit ] && exit 0; done';

test('a scene on Renode ends with the last line of the driver, and a Renode that ends before, or never, is told apart', async () => {
  const scene = async (name: string, what: string, limitSeconds = 60): ReturnType<typeof runOnRenode> => {
    const place = pretend(name, '');
    writeFileSync(path.join(place, 'renode'), `#!/bin/sh\n${monitor(what)}`);
    return runOnRenode({ renode: { program: path.join(place, 'renode'), test: '', version: '' }, scene: 'two-cores', images: { device: 'd', driver: 'e' }, outDir: place, limitSeconds });
  };
  const good = await scene('runs', `printf '= one\\n# device-sta' > "$f"; printf 'ck-peak 9\\n' >> "$f"; ${untilQuit}`);
  assert.deepEqual([good.status, good.hung, good.driver], [0, false, ['= one', '# device-stack-peak 9']]);
  const failed = await scene('fails', `printf '! no\\n# device-stack-peak 9\\n' > "$f"; ${untilQuit}`);
  assert.equal(failed.status, 2);
  await assert.rejects(scene('ends', 'echo "There was an error: no such scene"'), /^UserError: Renode ended before the driver's program did: There was an error: no such scene$/);
  const hung = await scene('hangs', `echo '= one' > "$f"; sleep 600`, 1);
  assert.deepEqual([hung.status, hung.hung], [-1, true]);
});

test('without Renode the command says that nothing was run, and its status is neither success nor failure', async () => {
  const { status, out } = await vmsg('renode-test');
  assert.deepEqual({ status, out }, { status: 2, out: 'not run: Renode not found\n' });
});

test('the counts are those of all tests', () => {
  assert.deepEqual(robotCounts(totals(4, 1)), { passed: 4, failed: 1, skipped: 0 });
  assert.equal(robotCounts('<robot></robot>'), undefined);
});

test('a scene has run when its own suite has tests and all passed, be it the only one or not', () => {
  const suite = (id: string, scene: string): string => `<suite id="${id}" name="x" source="/a/renode/${scene}.robot">`;
  const stat = (id: string, counts: string): string => `<stat ${counts} id="${id}" name="x">x</stat>`;
  assert.deepEqual(passedScenes(`${suite('s1', 'one')}${stat('s1', 'pass="4" fail="0" skip="0"')}`), ['one']);
  assert.deepEqual(passedScenes(`<suite id="s1" name="Test Suite">${suite('s1-s1', 'good')}${suite('s1-s2', 'bad')}${suite('s1-s3', 'skips')}${suite('s1-s4', 'none')}
    ${stat('s1', 'pass="9" fail="1" skip="1"')}${stat('s1-s1', 'pass="14" fail="0" skip="0"')}${stat('s1-s2', 'pass="3" fail="1" skip="0"')}
    ${stat('s1-s3', 'pass="3" fail="0" skip="1"')}${stat('s1-s4', 'pass="0" fail="0" skip="0"')}`), ['good']);
  assert.deepEqual(passedScenes(''), []);
});

test('only a run that counted its tests and passed them passes', async () => {
  const said = path.join(folder, 'arguments');
  const cases: readonly (readonly [string, string, number, number])[] = [
    ['good', writes(said, totals(2, 0), 0), 2, 0],
    ['bad', writes(said, totals(1, 1), 1), 1, 1],
    ['ends-badly', writes(said, totals(2, 0), 1), 2, 1],
    ['ran-none', writes(said, totals(0, 0), 0), 0, 1],
    ['counted-nothing', 'exit 0', 0, 1],
  ];
  for (const [name, suite, passed, failed] of cases) {
    const renode = await findRenode({ RENODE: pretend(name, '1.16.1', suite) });
    assert.ok(renode !== undefined);
    const outcome = await runSuites(renode, folder, ['zynqmp-r5']);
    assert.deepEqual([outcome.passed, outcome.failed], [passed, failed], name);
  }
  assert.equal(readFileSync(said, 'utf8').trim(), `--variable IMAGES:${folder} -r ${path.join(folder, 'results')} ${path.join(packageRoot, 'renode', 'zynqmp-r5.robot')}`);
});

test('a scene that is not there is one sentence that names those that are', async () => {
  await assert.rejects(runSuites({ program: '/nowhere', test: '/nowhere', version: '1.16.1' }, folder, ['pdp11']), /^UserError: Unknown scene 'pdp11'; known scenes: am62x-m4f, two-cores, rt700-m33, rzg2l-m33, zynqmp-r5\.$/);
});

test('every suite starts programs whose images are built, from a scene with the folder\'s files', async () => {
  await buildScenes(folder, ['zynqmp-r5']);
  const keywords = readFileSync(path.join(packageRoot, 'renode', 'scene.resource'), 'utf8');
  const programs = [...keywords.matchAll(/^ {4}Start Scene With Program {2,}(\S+)$/gm)].map(([, name = '']) => name);
  assert.ok(programs.length >= 2);
  for (const program of programs) {
    for (const side of ['device', 'driver']) {
      assert.equal(readFileSync(path.join(folder, `zynqmp-r5-${program}`, `${side}.elf`)).readUInt32BE(0), 0x7f454c46);
    }
    const source = readFileSync(path.join(packageRoot, 'test', 'emulator', 'programs', `${program}.ts`), 'utf8') +
      ['application-core', 'read-entropy'].map((name) => readFileSync(path.join(packageRoot, 'test', 'emulator', 'programs', `${name}.ts`), 'utf8')).join('');
    const [, body = ''] = new RegExp(`Start Scene With Program +${program}\\n([\\s\\S]*?)(?:\\n\\n|$)`).exec(keywords) ?? [];
    for (const [, step = ''] of body.matchAll(/^ {4}Announce {2,}(.+?)(?: {2,}timeout=.*)?$/gm)) {
      assert.ok(source.includes(`step('${step}')`), step);
    }
  }
});

test('every scene has a suite of the same tests, files that are there, and the addresses of its board', () => {
  const boards = knownTargets().map(readBoard).filter(({ renode }) => renode !== undefined);
  assert.ok(boards.length >= 4);
  const suites = boards.map((board) => {
    const scene = board.renode ?? '';
    const [suite = '', script = ''] = ['robot', 'resc'].map((kind) => readFileSync(path.join(packageRoot, 'renode', `${scene}.${kind}`), 'utf8'));
    assert.match(suite, new RegExp(`^\\$\\{SCENE\\} +${scene}$`, 'm'));
    for (const [, file = ''] of script.matchAll(/\$ORIGIN\/([\w-]+\.(?:repl|cs))/g)) {
      assert.ok(existsSync(path.join(packageRoot, 'renode', file)), file);
    }
    // vmsg sim counts instructions by the coprocessor's timer: a tick must be whole instructions. Renode's own are 100 million a second.
    const [, platform] = /LoadPlatformDescription \$ORIGIN\/([\w-]+\.repl)/.exec(script) ?? [];
    const speed = /PerformanceInMips: (\d+)$/m.exec(platform === undefined ? '' : readFileSync(path.join(packageRoot, 'renode', platform), 'utf8'))?.[1];
    assert.equal((Number(speed ?? 100) * 1000000) % (board.timer?.hertz ?? NaN), 0, scene);
    const seen = driverBoard(board);
    // Where a Cortex-M finds its vectors, the scene has to say.
    const vectors = [...script.matchAll(/VectorTableOffset (0x[0-9a-f]+)$/gm)].map(([, address]) => Number(address));
    const expected = [seen, board].flatMap(({ cpu, images }, at) => {
      const image = at === 0 ? images.driver : images.device;
      return cpu.startsWith('cortex-m') ? [(image?.boot ?? image?.flash)?.address] : [];
    });
    assert.deepEqual(vectors, expected, scene);
    // test/emulator/programs/application-core.ts: the largest window, and in it the two words in front of the program's own part.
    const home = seen.windows.filter(({ driverAddress }) => driverAddress !== '').reduce((best, window) => (window.bytes > best.bytes ? window : best));
    const stopAt = (home.cpuAddress ?? 0) + (home.bytes >= 0x400000 ? 0x100000 : 0x10000) - 16;
    assert.equal(Number(/^\$\{STOP_AT\} +(0x[0-9a-f]+)$/m.exec(suite)?.[1]), stopAt, scene);
    // The suite's words of the driver's core are those by which the scene starts it.
    const core = /^\$\{DRIVER_CORE\} +sysbus\.(?:\w+\.)?(\w+)$/m.exec(suite)?.[1];
    assert.ok(core !== undefined && script.includes(`sysbus LoadELF $driver cpu=${core}\n`), scene);
    return suite.split('*** Test Cases ***')[1]?.trimEnd() ?? assert.fail(scene);
  });
  // After them a suite may have tests of what only its SoC does.
  const [common = '', ...others] = suites.sort((one, other) => one.length - other.length);
  others.forEach((other) => assert.equal(other.slice(0, common.length), common));
  assert.deepEqual([...common.matchAll(/^Should .*$/gm)].map(([name]) => name), [
    'Should Read Entropy', 'Should Interrupt Both Ways', 'Should Reset The Device And Shut Down', 'Should Go Round The Ring And Come Back After A Reset',
    'Should Remove A Device While Another One Serves', "Should Serve A Driver's Side That Asks And Reads Nothing", "Should Serve On After The Driver's Core Fell Silent",
  ]);
});

test('the platform of the two cores has the register blocks, lines, serial lines and timers of its board', () => {
  const { registers, interrupts, uart, timer, windows, images } = readBoard('mps2-an521-m33');
  const platform = readFileSync(path.join(packageRoot, 'renode', 'two-cores.repl'), 'utf8');
  const places = [...platform.matchAll(/ @ sysbus (0x[0-9a-f]+)$/gm)].map(([, address]) => Number(address));
  for (const address of [...registers.map((block) => block.address), uart?.device, uart?.driver, timer?.device, timer?.driver, windows[0]?.cpuAddress, images.device.flash?.address, images.driver?.flash?.address]) {
    assert.ok(address !== undefined && places.includes(address), String(address));
  }
  for (const core of [0, 1]) {
    assert.ok(platform.includes(`Cpu${core} -> nvic${core}@${interrupts[0]?.line ?? -1}`));
  }
  assert.equal([...platform.matchAll(/requency: (\d+)$/gm)].filter(([, hertz]) => Number(hertz) === timer?.hertz).length, 4, 'two timers, two SysTicks');
});

test('the platform of the AM62x has the mailbox, its users and FIFOs, the memories and the clocks of its board', () => {
  const { registers, interrupts, timer, mailbox, driverCore } = JSON.parse(readFileSync(path.join(packageRoot, 'platforms', 'am62x-m4f', 'board.json'), 'utf8')) as Am62x;
  const [platform, suite] = ['repl', 'robot'].map((kind) => readFileSync(path.join(packageRoot, 'renode', `am62x-m4f.${kind}`), 'utf8')) as [string, string];
  assert.match(platform, new RegExp(`^mailbox0: .*\\n.*address: ${driverCore.registers[0]?.address}; cpu: cpu0 };\\n.*address: ${registers[0]?.address}; cpu: m4f }\\n`, 'm'));
  assert.match(platform, new RegExp(`^ {4}${mailbox.driverUser} -> nvic0@${driverCore.interrupts[0]?.line}\\n {4}${mailbox.user} -> nvic1@${interrupts[0]?.line}\\n`, 'm'));
  assert.match(platform, new RegExp(`^release: .* @ sysbus ${driverCore.registers[1]?.address}$`, 'm'));
  assert.match(platform, new RegExp(`^uart: .* @ sysbus ${driverCore.uart}$`, 'm'));
  assert.deepEqual([...platform.matchAll(/systickFrequency: (\d+)$/gm)].map(([, hertz]) => Number(hertz)), [driverCore.timer.hertz, timer.hertz]);
  const fifos = { CONTROL_IN: mailbox.controlReceive, CONTROL_OUT: mailbox.controlTransmit, DOORBELLS_IN: mailbox.receive };
  for (const [name, fifo] of Object.entries(fifos)) {
    assert.equal(Number(new RegExp(`^\\$\\{${name}\\} +(0x[0-9a-f]+)$`, 'm').exec(suite)?.[1]), Number(driverCore.registers[0]?.address) + 0x40 + 4 * fifo, name);
  }
  // TI's control words, of Linux's omap_remoteproc.h.
  for (const [name, word] of Object.entries({ ECHO_REQUEST: '0xffffff03', SHUTDOWN: '0xffffff14', SHUTDOWN_ACK: '0xffffff15' })) {
    assert.match(suite, new RegExp(`^\\$\\{${name}\\} +${word}$`, 'm'));
  }
});
