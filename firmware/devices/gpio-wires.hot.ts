// A GPIO backend without hardware: lines 2n and 2n + 1 are wired to each other, so an output is seen by its partner.
import { Direction, firstLine, Irq, LineTable, lineCount } from './gpio.hot.js';

const driven = new Uint8Array(LineTable.Lines);
const level = new Uint8Array(LineTable.Lines);
/** Edges nobody has taken yet. */
const edges = new Uint8Array(LineTable.Lines);

/** All lines of the device are low and nobody drives them. Start-up only. */
export function clearWires(device: number): void {
  for (let line = 0; line < lineCount[device]; line++) {
    const row = firstLine[device] + line;
    driven[row] = 0;
    level[row] = 0;
    edges[row] = 0;
  }
}

/** Sets the level (0, 1) of one line from outside, as a button would. */
export function setWire(device: number, line: number, value: number): void {
  const row = firstLine[device] + line;
  if (level[row] !== value) {
    level[row] = value;
    edges[row] = edges[row] | (value === 1 ? Irq.Rising : Irq.Falling);
  }
}

/** An output sets its own level and that of its partner, if it has one. */
function drive(device: number, line: number, value: number): void {
  setWire(device, line, value);
  if ((line ^ 1) < lineCount[device]) {
    setWire(device, line ^ 1, value);
  }
}

/** As `GpioBackend.setDirection`; every direction is possible. */
export function setWireDirection(device: number, line: number, direction: number, value: number): boolean {
  driven[firstLine[device] + line] = direction === Direction.Out ? 1 : 0;
  if (direction === Direction.Out) {
    drive(device, line, value);
  }
  return true;
}

export function readWire(device: number, line: number): number {
  return level[firstLine[device] + line];
}

export function writeWire(device: number, line: number, value: number): void {
  if (driven[firstLine[device] + line] === 1) {
    drive(device, line, value);
  }
}

export function takeWireEdges(device: number, line: number): number {
  const row = firstLine[device] + line;
  const seen = edges[row];
  edges[row] = 0;
  return seen;
}
