// Histograms of times: logarithmic classes, as text with bars and as one SVG picture that compares several series.

/** One series of measured times. */
export interface Series {
  readonly name: string;
  /** Microseconds, whole numbers from 0 on. */
  readonly times: readonly number[];
}

export interface TimeClass {
  /** Times from here on ... */
  readonly from: number;
  /** ... and below this. */
  readonly below: number;
  readonly count: number;
}

/** Bounds of the classes: 1, 2, 5, 10, 20, 50, ...; times below 1 and beyond the last bound have classes of their own. */
const bounds: readonly number[] = [0, ...[1, 10, 100, 1000, 10_000, 100_000].flatMap((decade) => [decade, 2 * decade, 5 * decade]), 1_000_000, Number.POSITIVE_INFINITY];

/** All classes with how many times fall into each; together they hold every time once. */
export function classify(times: readonly number[]): TimeClass[] {
  return bounds.slice(1).map((below, at) => {
    const from = bounds[at] ?? 0;
    return { from, below, count: times.filter((time) => time >= from && time < below).length };
  });
}

/** The smallest time that at least `share` (0 to 1) of all times do not exceed; 0 of no times. */
export function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Indices of the first and last class that any series fills. */
function filled(all: readonly (readonly TimeClass[])[]): { first: number; last: number } {
  const used = (all[0] ?? []).map((_, index) => all.some((classes) => (classes[index]?.count ?? 0) > 0));
  return { first: Math.max(0, used.indexOf(true)), last: Math.max(0, used.lastIndexOf(true)) };
}

const label = ({ from, below }: TimeClass): string => (below === Number.POSITIVE_INFINITY ? `${from} and more` : `${from} to ${below - 1}`);

/** One block of lines for each series: a line a class, with a bar. */
export function histogramText(title: string, series: readonly Series[]): string {
  const all = series.map(({ times }) => classify(times));
  const { first, last } = filled(all);
  const lines = [`${title}, microseconds`];
  series.forEach(({ name, times }, at) => {
    const shown = (all[at] ?? []).slice(first, last + 1);
    lines.push(`  ${name}: ${times.length} times, least ${quantile(times, 0)}, median ${quantile(times, 0.5)}, 99 of 100 within ${quantile(times, 0.99)}, most ${quantile(times, 1)}`);
    shown.forEach((one) => lines.push(`  ${label(one).padStart(18)} ${String(one.count).padStart(6)} ${'#'.repeat(Math.ceil((50 * one.count) / Math.max(1, times.length)))}`.trimEnd()));
  });
  return `${lines.join('\n')}\n`;
}

const colours: readonly string[] = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee'];
const plot = { left: 60, top: 40, width: 640, height: 220, gap: 70 };

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** One chart of the picture: classes from left to right, a bar for each series, its height the share of all its times. */
function chart(title: string, series: readonly Series[], top: number): string {
  const all = series.map(({ times }) => classify(times));
  const { first, last } = filled(all);
  const room = plot.width / (last - first + 1);
  const bar = (room * 0.8) / series.length;
  const bottom = top + plot.height;
  const parts = [`<text x="${plot.left}" y="${top - 12}" font-size="14">${escaped(title)}</text>`];
  [0, 25, 50, 75, 100].forEach((percent) => {
    const y = bottom - (plot.height * percent) / 100;
    parts.push(`<line x1="${plot.left}" y1="${y}" x2="${plot.left + plot.width}" y2="${y}" stroke="#ddd"/>`, `<text x="${plot.left - 6}" y="${y + 4}" text-anchor="end">${percent} %</text>`);
  });
  (all[0] ?? []).slice(first, last + 1).forEach((one, at) => {
    const x = plot.left + room * at;
    parts.push(`<text x="${(x + room / 2).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${one.from}${one.below === Number.POSITIVE_INFINITY ? '+' : ''}</text>`);
    series.forEach(({ name, times }, which) => {
      const count = all[which]?.[first + at]?.count ?? 0;
      const height = (plot.height * count) / Math.max(1, times.length);
      parts.push(
        `<rect x="${(x + room * 0.1 + bar * which).toFixed(1)}" y="${(bottom - height).toFixed(1)}" width="${bar.toFixed(1)}" height="${height.toFixed(1)}" fill="${colours[which % colours.length] ?? ''}">` +
          `<title>${escaped(name)}, ${label(one)} us: ${count}</title></rect>`,
      );
    });
  });
  return parts.join('\n');
}

/** Several charts below each other, with one legend. All have the same series' names. */
export function histogramSvg(charts: readonly { readonly title: string; readonly series: readonly Series[] }[]): string {
  const step = plot.height + plot.gap;
  const height = plot.top + step * charts.length + 20;
  const legend = (charts[0]?.series ?? []).map(
    ({ name }, at) => `<rect x="${plot.left + 180 * at}" y="${height - 26}" width="12" height="12" fill="${colours[at % colours.length] ?? ''}"/><text x="${plot.left + 180 * at + 18}" y="${height - 16}">${escaped(name)}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${plot.left + plot.width + 20}" height="${height}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...charts.map(({ title, series }, at) => chart(`${title}: share of all times, by microseconds`, series, plot.top + step * at)),
    ...legend,
    '</svg>\n',
  ].join('\n');
}
