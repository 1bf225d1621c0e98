// Latency histograms: classes that lose nothing, quantiles, a picture; and one run that measures polling, a pipe and an eventfd.
import assert from 'node:assert/strict';
import test from 'node:test';
import { classify, histogramSvg, histogramText, quantile } from '../../tools/host-process/histogram.js';
import { latencySvg, latencyText, measureLatency, readMeasured } from '../../tools/host-process/latency.js';
import { serve } from '../../tools/commands/serve.js';
import { UserError } from '../../tools/user-error.js';
import { freshFolder } from '../support/processes.js';

/** Throws unless every element is closed in order. */
function assertWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, closing, name, single] of svg.matchAll(/<(\/?)([a-z]+)(?: [a-zA-Z0-9-]+="[^"<]*")*(\/?)>/g)) {
    if (closing === '/') {
      assert.equal(open.pop(), name);
    } else if (single === '') {
      open.push(name ?? '');
    }
  }
  assert.deepEqual(open, []);
  assert.equal([...svg.matchAll(/</g)].length, [...svg.matchAll(/<\/?[a-z]+[^<>]*>/g)].length);
}

test('every time falls into exactly one class, whose bounds go 1, 2, 5, 10', () => {
  const times = [0, 1, 2, 4, 5, 9, 10, 99, 100, 999_999, 1_000_000, 50_000_000];
  const classes = classify(times);
  assert.equal(classes.reduce((sum, { count }) => sum + count, 0), times.length);
  assert.deepEqual(classes.slice(0, 5).map(({ from, below, count }) => [from, below, count]), [[0, 1, 1], [1, 2, 1], [2, 5, 2], [5, 10, 2], [10, 20, 1]]);
  assert.deepEqual(classes.slice(-1).map(({ from, count }) => [from, count]), [[1_000_000, 2]]);
  classes.slice(1).forEach(({ from }, at) => assert.equal(from, classes[at]?.below));
});

test('a quantile is a measured time: least, median, most', () => {
  const times = [30, 10, 20, 40];
  assert.deepEqual([0, 0.25, 0.5, 0.75, 0.99, 1].map((share) => quantile(times, share)), [10, 10, 20, 30, 40, 40]);
  assert.equal(quantile([], 0.5), 0);
});

test('the text has a line for each class between the first and the last that is filled, with bars of its share', () => {
  const text = histogramText('way', [{ name: 'a', times: [3, 3, 30, 3] }, { name: 'b', times: [7] }]);
  assert.deepEqual(text.split('\n'), [
    'way, microseconds',
    '  a: 4 times, least 3, median 3, 99 of 100 within 30, most 30',
    '              2 to 4      3 ######################################',
    '              5 to 9      0',
    '            10 to 19      0',
    '            20 to 49      1 #############',
    '  b: 1 times, least 7, median 7, 99 of 100 within 7, most 7',
    '              2 to 4      0',
    '              5 to 9      1 ##################################################',
    '            10 to 19      0',
    '            20 to 49      0',
    '',
  ]);
});

test('the picture has a bar for each class and series, as high as its share, and names that break nothing', () => {
  const svg = histogramSvg([{ title: 'a < b & c', series: [{ name: 'x<y', times: [3, 3, 3, 7] }] }]);
  assertWellFormed(svg);
  assert.deepEqual([...svg.matchAll(/height="([\d.]+)" fill="[^"]+"><title>([^<]*)</g)].map(([, height, title]) => [height, title]), [['165.0', 'x&lt;y, 2 to 4 us: 3'], ['55.0', 'x&lt;y, 5 to 9 us: 1']]);
});

test('a driver side that measured nothing is one sentence with its reason', () => {
  assert.throws(() => readMeasured('fifo', ['us message 1 2', '! step did not come: x']), (error) => error instanceof UserError && /measured nothing with fifo: step did not come: x\./.test(error.message));
});

test('--latency stands alone, and says when its file cannot be written', async () => {
  await assert.rejects(serve(['--latency', 'x.svg', '--app', 'demo']), /give no other option with it/);
  await assert.rejects(serve(['--latency', `${freshFolder()}/none/x.svg`]), /The picture cannot be written: /);
});

test('one run measures polling, a pipe and an eventfd with as many round trips each', async () => {
  const measured = await measureLatency(() => undefined);
  assert.deepEqual(measured.map(({ name, message, used, messages }) => [name, message.length, used.length, messages]), [['poll:100', 400, 400, 800], ['fifo', 400, 400, 800], ['eventfd', 400, 400, 800]]);
  measured.forEach(({ message, used, microseconds }) => {
    assert.ok([...message, ...used].every((time) => Number.isInteger(time) && time >= 0 && time < 2 ** 27));
    // What all round trips took together is no less than their sum.
    assert.ok(microseconds >= message.reduce((sum, time) => sum + time, 0));
  });
  const text = latencyText(measured);
  assert.equal([...text.matchAll(/ {2}\S+: 400 times, /g)].length, 6);
  assert.match(text, /^ {2}doorbell +round trip, median us +used, median us +messages per second\n {2}poll:100 .*\n {2}fifo .*\n {2}eventfd /m);
  assertWellFormed(latencySvg(measured));
});
