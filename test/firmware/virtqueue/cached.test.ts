// Rings and buffers in a window that the core caches: what is invalidated before reading, cleaned after writing, and when.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'node:test';
import { copy, fake } from '../../../hal/fake/port.js';
import { fillChain, randomChain, readChain, writeChain } from '../../../firmware/virtqueue/cursor.hot.js';
import { finish } from '../../../firmware/virtqueue/queue.hot.js';
import { CacheLines } from '../../support/cache-lines.js';
import { PackedQueue } from '../../support/driver/packed-queue.js';
import type { Element } from '../../support/driver/ring-memory.js';
import { readWord, writeWord } from '../../support/driver/ring-memory.js';
import type { LabOptions } from '../../support/lab.js';
import { CACHED, element, HIGH, inWindow, Lab, MAIN, PRIVATE, windowBytes } from '../../support/lab.js';
import { atBarriers } from '../../support/watch.js';
import { watchWords } from '../../support/watch-words.js';

const DESCRIPTORS = 0x1000;
const DRIVER = 0x3000;
const DEVICE = 0x4000;
const TABLES = 0x5000;
const BUFFERS = 0x8000;

/** Runs `work` on a queue whose areas all lie in the cached window, each on lines of its own. */
function withCache(options: LabOptions, lineBytes: number, work: (lab: Lab, cache: CacheLines) => void, onCall?: () => void): void {
  const cache = new CacheLines(lineBytes, onCall);
  try {
    const lab = new Lab({ ...options, places: [cache.place(DESCRIPTORS), cache.place(DRIVER), cache.place(DEVICE)] });
    work(lab, cache);
  } finally {
    cache.remove();
  }
}

/** An element in the cached window, the driver's view. */
function cachedElement(cache: CacheLines, offset: number, bytes: number, writable: boolean): Element {
  return { offset, bytes, writable, place: cache.place(0) };
}

/** Whatever is invalidated loses what the device wrote there: it must be the driver's, and whole words of it. */
function onlyTheDrivers(cache: CacheLines, options: LabOptions, size: number): void {
  const areas: readonly (readonly [number, number])[] = [
    [DESCRIPTORS, size * 16],
    [DRIVER, options.packed === true ? 4 : 6 + size * 2],
    [TABLES, 0x3000],
    [BUFFERS, 0x8000],
  ];
  for (const { kind, offset, length } of cache.calls) {
    const inside = areas.some(([from, bytes]) => offset >= from && offset + length <= from + bytes);
    assert.ok(kind === 'clean' || (inside && (length % 2 === 0 || offset >= BUFFERS)), `invalidates ${length} bytes from ${offset} on`);
  }
}

/** Copies the readable part into the writable part by way of the private window. */
function echo(lab: Lab): void {
  lab.plan = (chain) => {
    const bytes = readChain(0, PRIVATE, 0, chain.readableBytes);
    assert.equal(bytes, chain.readableBytes);
    finish(lab.row, chain.handle, writeChain(0, PRIVATE, 0, Math.min(bytes, chain.writableBytes)));
  };
}

const kinds: readonly LabOptions[] = [
  { packed: false },
  { packed: true },
  { packed: false, eventIdx: true, indirect: true },
  { packed: true, eventIdx: true, indirect: true },
  { packed: false, inOrder: true },
  { packed: true, inOrder: true },
];

function nameOf(options: LabOptions): string {
  return Object.entries(options)
    .filter(([, value]) => value === true)
    .map(([key]) => key)
    .concat(options.packed === true ? [] : ['split'])
    .join(', ');
}

kinds.forEach((options) => {
  [16, 32, 64].forEach((lineBytes) => {
    test('R-353 R-354 R-388 rings and buffers behind a cache with lines of ' + lineBytes + ' bytes: ' + nameOf(options), () => {
      withCache({ ...options, size: 16 }, lineBytes, (lab, cache) => {
        echo(lab);
        for (let turn = 0; turn < 40; turn++) {
          const count = 1 + (turn % 3);
          for (let chain = 0; chain < count; chain++) {
            const at = BUFFERS + chain * 0x400;
            cache.memory.fill(turn * 4 + chain + 1, at, at + 100);
            const elements = [cachedElement(cache, at, 30, false), cachedElement(cache, at + 64, 36, false), cachedElement(cache, at + 0x200, 70, true)];
            lab.queue.add(elements, options.indirect === true && turn % 2 === 0 ? cache.place(TABLES + chain * 0x100) : undefined);
          }
          if (options.eventIdx === true) {
            lab.queue.notifyAfter(0);
          }
          assert.deepEqual(lab.go(), ['used'], 'turn ' + turn);
          const used = lab.taken();
          assert.deepEqual(used.map((one) => one.written), new Array(count).fill(66), 'turn ' + turn);
          for (let chain = 0; chain < count; chain++) {
            const at = BUFFERS + chain * 0x400 + 0x200;
            const expected = new Array<number>(66).fill((turn * 4 + chain + 1) & 255).concat([0, 0, 0, 0]);
            assert.deepEqual(Array.from(cache.memory.subarray(at, at + 70)), expected, 'turn ' + turn);
          }
          assert.deepEqual(cache.dirtyLines(), [], 'nothing stays unseen in the cache');
        }
        onlyTheDrivers(cache, options, 16);
        windowBytes(PRIVATE).fill(0);
      });
    });
  });

  test('R-332 R-384 lines fetched and evicted at any moment change nothing: ' + nameOf(options), () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(0xffff)), (stream) => {
        let disturb = (): void => undefined;
        withCache(
          { ...options, size: 32 },
          // Two descriptors of a packed ring on one line are written by both sides at once: no software can keep them apart.
          options.packed === true ? 16 : 32,
          (lab, cache) => {
            echo(lab);
            const next = (): number => stream.next().value;
            const published: (() => void)[] = [];
            let inside = false;
            const acted = (): void => {
              if (inside) {
                return;
              }
              inside = true;
              for (let what = next(); what % 8 < 5; what = next()) {
                if (what % 8 === 0) {
                  published.shift()?.();
                  cache.disturb(what % 16 === 0 ? DRIVER : DESCRIPTORS);
                } else if (what % 8 === 1) {
                  cache.disturb(DRIVER);
                } else {
                  const area = [DESCRIPTORS, DRIVER, DEVICE, TABLES, BUFFERS][(what >> 3) % 5] ?? DRIVER;
                  cache.disturb(area + ((what >> 6) % (area === DRIVER ? 96 : 640)));
                }
              }
              inside = false;
            };
            disturb = acted;
            const stopBarriers = atBarriers(acted);
            const actedAt = (window: number): void => (window === CACHED ? acted() : undefined);
            const stopWords = watchWords(actedAt, actedAt);
            try {
              let expected = 0;
              for (let turn = 0; turn < 12; turn++) {
                // One chain now, the other one at some moment of the pass.
                for (let chain = 0; chain < 2; chain++) {
                  const at = BUFFERS + chain * 0x400;
                  published.push(() => {
                    cache.memory.fill(turn * 2 + chain + 1, at, at + 8);
                    const elements = [cachedElement(cache, at, 8, false), cachedElement(cache, at + 0x200, 8, true)];
                    lab.queue.add(elements, options.indirect === true ? cache.place(TABLES + chain * 0x100) : undefined);
                    lab.queue.publish();
                  });
                  if (chain === 0) {
                    inside = true;
                    published.shift()?.();
                    inside = false;
                  }
                }
                lab.kick();
                inside = true;
                published.splice(0).forEach((show) => show());
                inside = false;
                lab.kick();
                inside = true;
                const used = lab.taken();
                expected += used.length;
                used.forEach((one) => assert.equal(one.written, 8));
                for (let chain = 0; chain < 2; chain++) {
                  const at = BUFFERS + chain * 0x400 + 0x200;
                  assert.deepEqual(Array.from(cache.memory.subarray(at, at + 8)), new Array(8).fill(turn * 2 + chain + 1), 'turn ' + turn);
                }
                inside = false;
              }
              assert.equal(expected, 24);
              assert.equal(lab.bus.readStatus(1), 0x0f);
            } finally {
              stopWords();
              stopBarriers();
              windowBytes(PRIVATE).fill(0);
            }
          },
          () => disturb(),
        );
      }),
      { seed: 20261121, numRuns: 40 },
    );
  });
});

test('R-356 R-357 R-398 a pass that ends with its budget reads what the driver wishes then, not what it wished before', () => {
  kinds.forEach((options) => {
    withCache({ ...options, size: 256 }, 16, (lab, cache) => {
      const silence = (): void => {
        if (options.packed === true) {
          writeWord(cache.place(DRIVER), 2, 1);
        } else if (options.eventIdx === true) {
          writeWord(cache.place(DRIVER), 4 + 512, 0x8000);
        } else {
          writeWord(cache.place(DRIVER), 0, 1);
        }
      };
      const wish = (): void => {
        writeWord(cache.place(DRIVER), 0, 0);
        writeWord(cache.place(DRIVER), 2, options.packed === true ? 0 : readWord(cache.place(DRIVER), 2));
        if (options.eventIdx === true && options.packed !== true) {
          writeWord(cache.place(DRIVER), 4 + 512, 0);
        }
      };
      silence();
      for (let chain = 0; chain < 256; chain++) {
        lab.queue.add([element(0x100, 8, true, HIGH)]);
      }
      lab.onServe = wish;
      lab.queue.publish();
      lab.bus.kick(1, 0);
      lab.onePass();
      assert.deepEqual(lab.events(), ['used'], nameOf(options));
    });
  });
});

test('R-332 an entry of the available ring is fetched after the index that shows it', () => {
  withCache({ size: 32 }, 32, (lab, cache) => {
    for (let turn = 0; turn < 20; turn++) {
      lab.queue.add([element(0x100, 8, true, HIGH)]);
      lab.go();
    }
    // The driver shows chain 20 while the device reads the index, whose line is fetched at that moment; the line of entry
    // 20 was fetched before.
    let shown = false;
    const stop = watchWords((window, word) => {
      if (window === CACHED && word === (DRIVER + 2) / 2 && !shown) {
        shown = true;
        lab.queue.add([element(0x200, 16, true, HIGH)]);
        lab.queue.publish();
        cache.disturb(DRIVER);
      }
    }, () => undefined);
    lab.kick();
    stop();
    assert.deepEqual(lab.chains.slice(20).map((chain) => chain.writableBytes), [16]);
  });
});

test('R-388 a used descriptor is not lost when the next one on its line is read', () => {
  withCache({ packed: true, size: 8 }, 64, (lab) => {
    for (let chain = 0; chain < 8; chain++) {
      lab.queue.add([element(0x100, 8, true, HIGH)]);
    }
    lab.go();
    assert.equal(lab.taken().length, 8);
  });
});

test('R-356 the driver sees at once that the device does not want to be notified during a pass', () => {
  [false, true].forEach((packed) => {
    withCache({ packed, size: 8 }, 32, (lab, cache) => {
      let during = NaN;
      lab.onServe = () => (during = readWord(cache.place(DEVICE), packed ? 2 : 0));
      lab.queue.add([element(0x100, 8, true, HIGH)]);
      lab.go();
      assert.equal(during, 1);
      assert.equal(readWord(cache.place(DEVICE), packed ? 2 : 0), 0);
    });
  });
});

test('only what was read or written is cleaned or invalidated, never a whole ring', () => {
  [false, true].forEach((packed) => {
    withCache({ packed, size: 256 }, 16, (lab, cache) => {
      cache.calls.length = 0;
      lab.queue.add([cachedElement(cache, BUFFERS, 8, true)]);
      lab.go();
      const longest = cache.calls.reduce((most, call) => Math.max(most, call.length), 0);
      assert.ok(longest <= 16, 'a call of ' + longest + ' bytes');
    });
  });
});

test('R-353 R-354 used entries of one pass on both sides of the end of the ring all reach memory', () => {
  [16, 64].forEach((lineBytes) => {
    withCache({ size: 16 }, lineBytes, (lab, cache) => {
      [9, 15].forEach((chains) => {
        for (let chain = 0; chain < chains; chain++) {
          lab.queue.add([element(0x100, 8, true, HIGH)]);
        }
        lab.go();
        assert.deepEqual(lab.taken().map(({ written }) => written), new Array(chains).fill(8));
        assert.deepEqual(cache.dirtyLines(), []);
      });
    });
  });
});

test('R-353 R-354 everything written is cleaned before the used index or flags are, with a barrier between', () => {
  [false, true].forEach((packed) => {
    withCache({ packed, size: 8 }, 16, (lab, cache) => {
      const visible = (): boolean =>
        packed ? readWord(cache.place(DESCRIPTORS), 14) >= 0x8000 : readWord(cache.place(DEVICE), 2) === 2;
      lab.queue.add([cachedElement(cache, BUFFERS, 8, true)]);
      lab.queue.add([cachedElement(cache, BUFFERS + 64, 8, true)]);
      const seen: boolean[] = [];
      const complete: boolean[] = [];
      const stop = atBarriers(() => {
        seen.push(visible());
        const entry = packed ? readWord(cache.place(DESCRIPTORS), 16 + 14) >= 0x8000 : readWord(cache.place(DEVICE), 4 + 8 + 4) === 8;
        complete.push(entry && cache.memory[BUFFERS + 71] === 0x5a);
      });
      lab.go();
      stop();
      const first = seen.indexOf(true);
      assert.ok(first > 0);
      assert.equal(complete[first - 1], true, 'at the barrier before, entries and data stand in memory');
    });
  });
});

test('no call is made for windows that are not cached', () => {
  [false, true].forEach((packed) => {
    const lab = new Lab({ packed, size: 8, indirect: true, eventIdx: true });
    echo(lab);
    lab.queue.add([element(0x100, 8, false, HIGH), element(0x200, 8, true, HIGH)], inWindow(HIGH, 0x400));
    lab.go();
    assert.equal(lab.taken().length, 1);
    assert.deepEqual(fake.cacheCalls, []);
    windowBytes(PRIVATE).fill(0);
  });
});

test('R-340 R-353 every way of reading and writing a chain keeps the cache in step', () => {
  withCache({ size: 8 }, 32, (lab, cache) => {
    const done: number[] = [];
    lab.plan = (chain) => {
      const fillOrRandom = done.length % 2 === 0 ? fillChain(8, 24, 9) : randomChain(32);
      copy(PRIVATE, 64, MAIN, 0, 4);
      done.push(fillOrRandom);
      finish(lab.row, chain.handle, done.length % 2 === 1 ? 32 : fillOrRandom);
    };
    for (let turn = 0; turn < 4; turn++) {
      cache.memory.fill(0xcc, BUFFERS, BUFFERS + 256);
      lab.queue.add([cachedElement(cache, BUFFERS, 20, true), cachedElement(cache, BUFFERS + 64, 20, true)]);
      lab.go();
      assert.equal(lab.taken().length, 1);
      assert.deepEqual(cache.dirtyLines(), []);
    }
    assert.deepEqual(done, [24, 32, 24, 32]);
    windowBytes(PRIVATE).fill(0);
  });
});

test('R-400 the event structure of a packed ring reaches memory whole', () => {
  withCache({ packed: true, size: 3, eventIdx: true }, 32, (lab, cache) => {
    for (let turn = 0; turn < 7; turn++) {
      lab.queue.notifyAfter(0);
      lab.queue.add([element(0x100, 8, true, HIGH)]);
      assert.ok(lab.queue.wantsKick());
      assert.deepEqual(lab.go(), ['used']);
      lab.taken();
      assert.ok(lab.queue instanceof PackedQueue);
      assert.deepEqual([readWord(cache.place(DEVICE), 0), readWord(cache.place(DEVICE), 2)], [lab.queue.position(), 2]);
    }
  });
});
