// What instrumented hot files call for every number.

const least = -(2 ** 27);
const largest = 2 ** 27 - 1;

/** A number, or an index, that hot code must not have. */
export class HotRangeError extends Error {
  name = 'HotRangeError';
}

/** Instrumented files, in the order in which they were loaded. */
export const files = [];

let checks = 0;

/** Why `value` is not a small integer; undefined when it is one. */
function fault(value) {
  if (value >= least && value <= largest && value === (value | 0) && (value !== 0 || 1 / value > 0)) {
    return undefined;
  }
  const shown = Object.is(value, -0) ? '-0' : String(value);
  return Number.isInteger(value) ? (value === 0 ? `${shown} is not a small integer` : `${shown} needs more than 28 bits`) : `${shown} is not an integer`;
}

export const runtime = {
  count: () => checks,

  /** The checks of one file, whose places are 'file:line:column' by number. */
  file(name, places) {
    files.push(name);
    const fail = (place, reason) => {
      throw new HotRangeError(`${places[place]} ${reason}`);
    };
    const number = (value, place) => {
      checks++;
      const reason = fault(value);
      if (reason !== undefined) {
        fail(place, reason);
      }
      return value;
    };
    /** An element: a number of a typed array, or an entry of a table of functions or typed arrays. */
    const element = (table, index, place) => {
      checks++;
      const value = table[index];
      if (value === undefined) {
        fail(place, `index ${String(index)} is outside 0..${table.length - 1}`);
      }
      return typeof value === 'number' ? number(value, place) : value;
    };
    const write = (table, index, value, place) => {
      checks++;
      if (!(index >= 0 && index < table.length && Number.isInteger(index))) {
        fail(place, `index ${String(index)} is outside 0..${table.length - 1}`);
      }
      return (table[index] = typeof value === 'number' ? number(value, place) : value);
    };
    return {
      number,
      element,
      write,
      /** What a call returned: ports and natives are not instrumented themselves. */
      result: (value, place) => (typeof value === 'number' ? number(value, place) : value),
      /** table[index] = change(table[index]), with table and index evaluated once. */
      update: (table, index, change, place) => write(table, index, change(element(table, index, place)), place),
    };
  },
};
