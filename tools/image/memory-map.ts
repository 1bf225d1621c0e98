// A picture of what images take of their boards' memories: one pair of bars for each image, as SVG.

/** A memory of a board and what an image puts there. */
export interface MemoryUse {
  /** Bytes the board gives. */
  readonly bytes: number;
  readonly parts: readonly { readonly name: string; readonly bytes: number }[];
}

/** One image. */
export interface ImageUse {
  /** Target and engine. */
  readonly name: string;
  readonly memories: readonly { readonly name: string; readonly use: MemoryUse }[];
}

const colours: Readonly<Record<string, string>> = { 'code and constants': '#4477aa', stack: '#228833', variables: '#ccbb44', heap: '#ee6677' };
const bar = { left: 250, width: 520, height: 12, row: 17, gap: 12, top: 36 };

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const kibibytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

/** The whole bar is a memory; each part has its share of the width, in the order given, from the left. */
export function memoryMap(images: readonly ImageUse[]): string {
  const lines: string[] = [];
  let y = bar.top;
  for (const { name, memories } of images) {
    lines.push(`<text x="8" y="${y + 10}" font-weight="bold">${escaped(name)}</text>`);
    for (const { name: memory, use } of memories) {
      const used = use.parts.reduce((sum, { bytes }) => sum + bytes, 0);
      lines.push(`<text x="${bar.left - 8}" y="${y + 10}" text-anchor="end">${escaped(memory)}</text>`);
      lines.push(`<rect x="${bar.left}" y="${y}" width="${bar.width}" height="${bar.height}" fill="#dddddd"/>`);
      let x = bar.left;
      for (const part of use.parts) {
        const width = (part.bytes / use.bytes) * bar.width;
        lines.push(`<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${bar.height}" fill="${colours[part.name] ?? '#66ccee'}"><title>${escaped(`${part.name}: ${part.bytes} bytes`)}</title></rect>`);
        x += width;
      }
      lines.push(`<text x="${bar.left + bar.width + 8}" y="${y + 10}">${kibibytes(used)} of ${kibibytes(use.bytes)}</text>`);
      y += bar.row;
    }
    y += bar.gap;
  }
  const legend = Object.entries(colours).map(([name, colour], index) =>
    `<rect x="${bar.left + 140 * index}" y="10" width="12" height="12" fill="${colour}"/><text x="${bar.left + 140 * index + 18}" y="20">${name}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${bar.left + bar.width + 150}" height="${y}" font-family="sans-serif" font-size="11">\n`
    + `<rect width="100%" height="100%" fill="white"/>\n${[...legend, ...lines].join('\n')}\n</svg>\n`;
}
