// Writes cpio archives in the form that Linux unpacks as its first file system ("newc", Documentation/driver-api/early-userspace).

/** One name in the archive; folders come before what they hold. */
export interface ArchiveEntry {
  /** Path without a leading slash. */
  readonly name: string;
  /** Type and permission bits as stat(2) has them, such as 0o100755. */
  readonly mode: number;
  readonly content?: Buffer;
  /** Major and minor number of a device file. */
  readonly device?: readonly [number, number];
}

export function folderEntry(name: string): ArchiveEntry {
  return { name, mode: 0o040755 };
}

export function programEntry(name: string, content: Buffer | string): ArchiveEntry {
  return { name, mode: 0o100755, content: Buffer.from(content) };
}

export function characterDevice(name: string, major: number, minor: number): ArchiveEntry {
  return { name, mode: 0o020600, device: [major, minor] };
}

const alignment = 4;

function padded(part: Buffer): Buffer {
  return Buffer.concat([part, Buffer.alloc((alignment - (part.length % alignment)) % alignment)]);
}

function record({ name, mode, content = Buffer.alloc(0), device = [0, 0] }: ArchiveEntry, inode: number): Buffer {
  const nameBytes = Buffer.from(`${name}\0`);
  // Inode, mode, user, group, links, time, size, major and minor of the file's disk, of the device, bytes of the name, check.
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, device[0], device[1], nameBytes.length, 0];
  const header = Buffer.from(`070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, nameBytes])), padded(content)]);
}

/** The archive of these entries. */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const records = entries.map((entry, index) => record(entry, index + 1));
  return Buffer.concat([...records, record({ name: 'TRAILER!!!', mode: 0 }, 0)]);
}
