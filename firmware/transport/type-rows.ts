// Types of devices and of backends get a row in their tables of functions; instances of a type share it.

/** The row of `type`, made on first use: then `enter` appends to each table of functions. */
export function rowOf<T>(types: T[], type: T, enter: (type: T) => void): number {
  const known = types.indexOf(type);
  if (known >= 0) {
    return known;
  }
  enter(type);
  return types.push(type) - 1;
}
