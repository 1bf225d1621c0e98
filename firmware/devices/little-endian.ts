// Little-endian bytes of configuration fields, at start-up.

export function le16(value: number): number[] {
  return [value % 256, Math.floor(value / 256) % 256];
}

export function le32(value: number): number[] {
  return le16(value % 65536).concat(le16(Math.floor(value / 65536)));
}

/** A number up to 2^53. */
export function le64(value: number): number[] {
  return le32(value % 4294967296).concat(le32(Math.floor(value / 4294967296)));
}
