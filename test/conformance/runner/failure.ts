// What the files of the runner share: how a case fails, and comparing lists of numbers.

/** Ends the case: `sentence` says what the device did wrong. */
export function fail(sentence: string): never {
  throw new Error(sentence);
}

export function equal(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}
