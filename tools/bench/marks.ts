// The marks that the ring figures are held against, and how a figure divides into engine, transport, ring walk and validation.
import type { BenchPhase, BenchTarget } from '../commands/bench.js';
import type { NodeFigure } from './node.js';

export interface Mark {
  readonly mark: string;
  readonly figure: number;
  /** 'most': the figure may be at most this; 'least': it must be at least this. */
  readonly kind: 'most' | 'least';
  readonly limit: number;
  readonly met: boolean;
}

/** Shares of one request, in instructions. */
export interface Breakdown {
  readonly figure: string;
  /** A doorbell that brings nothing: waking up, acknowledging, an empty pass of the loop. */
  readonly engine: number;
  /** Taking and judging the EVENT_AVAIL. */
  readonly transport: number;
  /** Beginning and ending the pass, reading descriptors, translating addresses, the used entry: a build without validation. */
  readonly walk: number;
  /** What the same costs more with validation. */
  readonly validation: number;
}

/** Most instructions of one request; the ring's part, without message and payload. */
const instructionMarks: readonly (readonly [string, number])[] = [
  ['split-r64-32', 17000],
  ['split-r64-1', 27000],
  ['split-blk-32', 29000],
];

/** Most instructions of one request from doorbell to doorbell, payload included, on the Cortex-M33. */
const deviceMarks: readonly (readonly [string, number])[] = [
  ['status', 40000],
  ['entropy-1', 60000],
  ['block-write-32', 60000],
];
const deviceTarget = 'mps2-an521-m33';

/** Most that a format may cost more than the split ring, at the same shape in batches of 32. */
const formatRatio = 1.15;
/** Millions of single-descriptor requests a second in Node, where v86's class reaches 32. */
const nodeMark = 60;
const nodeClass = 32;

function mark(name: string, figure: number, kind: Mark['kind'], limit: number): Mark {
  return { mark: name, figure, kind, limit, met: kind === 'most' ? figure <= limit : figure >= limit };
}

function cost(rings: readonly BenchPhase[], name: string): number {
  return rings.find(({ phase }) => phase === name)?.instructionsEach ?? NaN;
}

export function targetMarks({ target, phases, rings }: Pick<BenchTarget, 'target' | 'phases' | 'rings'>): Mark[] {
  const ratio = (format: string, shape: string): number => Math.round((cost(rings, `${format}-${shape}-32`) / cost(rings, `split-${shape}-32`)) * 1000) / 1000;
  const long = rings.find(({ phase }) => phase === 'long-32');
  const all = [...phases, ...rings];
  const sum = (of: (phase: BenchPhase) => number): number => all.reduce((total, phase) => total + of(phase), 0);
  return [
    ...instructionMarks.map(([name, limit]) => mark(`${target}: instructions, ${name}`, cost(rings, name), 'most', limit)),
    ...(target === deviceTarget ? deviceMarks : []).map(([name, limit]) => mark(`${target}: instructions, ${name}`, cost(phases, name), 'most', limit)),
    ...['indirect', 'packed'].flatMap((format) =>
      ['r64', 'blk'].map((shape) => mark(`${target}: ${format} to split, ${shape}`, ratio(format, shape), 'most', formatRatio)),
    ),
    mark(`${target}: requests of the long phase`, long?.count ?? 0, 'least', 100000),
    mark(`${target}: allocations in all phases`, sum(({ allocations }) => allocations), 'most', 0),
    mark(`${target}: collector runs in all phases`, sum(({ collections }) => collections), 'most', 0),
  ];
}

/**
 * On another machine the mark counts in proportion to what the other class reaches there; without that class the figure
 * stands for itself.
 */
export function nodeMarks(figures: readonly NodeFigure[]): Mark[] {
  return figures
    .filter(({ shape }) => shape === 'r64')
    .map(({ millions, otherMillions }) =>
      otherMillions === undefined
        ? mark('node: million requests a second, r64', millions, 'least', nodeMark)
        : mark('node: r64 to the other class', Math.round((millions / otherMillions) * 1000) / 1000, 'least', nodeMark / nodeClass),
    );
}

/** Divides each ring figure; `believing` are those of the build without validation. */
export function breakdowns(rings: readonly BenchPhase[], believing: readonly BenchPhase[], doorbell: number, kick: number): Breakdown[] {
  return rings
    .map(({ phase, instructionsEach }) => ({ phase, instructionsEach, batch: Number(/^\w+-\w+-(\d+)$/.exec(phase)?.[1] ?? NaN) }))
    .filter(({ batch }) => batch > 0)
    .map(({ phase, instructionsEach, batch }) => {
      const walk = cost(believing, phase);
      return {
        figure: phase,
        engine: Math.round(doorbell / batch),
        transport: Math.round((kick - doorbell) / batch),
        walk,
        validation: instructionsEach - walk,
      };
    });
}
