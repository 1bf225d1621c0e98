// The header layout of the bus handled last, held in variables: every message of a bus needs all of it.
import { headerBytes, numberWord, numberWords, sizeWord, tokenWord } from './bus-table.hot.js';

/** Whose layout it is; -1 = nobody's. */
let openRow = -1;
/** Bytes of the header, words of its fields, and whether the device number has 64 bits. */
export let header = 0;
export let numberField = 0;
export let longNumber = false;
export let tokenField = 0;
export let sizeField = 0;

/** Makes the layout that of `bus`. */
export function openHeader(bus: number): void {
  if (bus !== openRow) {
    openRow = bus;
    header = headerBytes[bus];
    numberField = numberWord[bus];
    longNumber = numberWords[bus] !== 1;
    tokenField = tokenWord[bus];
    sizeField = sizeWord[bus];
  }
}

/** The tables of buses have changed. */
export function closeHeader(): void {
  openRow = -1;
}
