// The architectures of guests: the machine that QEMU gives each, its serial lines, and how a kernel's image shows which one it wants.
import { gunzipSync } from 'node:zlib';
import type { Emulator } from './newer-qemu.js';

export interface Architecture extends Emulator {
  readonly name: 'x86-64' | 'aarch64';
  /** Debian's name for it. */
  readonly debian: 'amd64' | 'arm64';
  /** Its number in the header of an ELF file (e_machine). */
  readonly elfMachine: number;
  readonly machine: string;
  readonly processor: string;
  /** Guest-physical address of the RAM's first byte, which is the first byte of the file that is the RAM. */
  readonly ramBase: bigint;
  /** The serial line of the kernel's messages, and that of the guest's script, as the kernel names them. */
  readonly consoleLine: string;
  readonly scriptLine: string;
  /** Words that every guest's kernel gets. */
  readonly kernelWords: readonly string[];
  /** QEMU's options that join the second of these to its own input and output. */
  readonly scriptSerial: readonly string[];
}

export const x86: Architecture = {
  name: 'x86-64',
  debian: 'amd64',
  elfMachine: 62,
  emulator: 'qemu-system-x86_64',
  emulatorPackage: 'qemu-system-x86',
  machine: 'q35',
  processor: 'max',
  ramBase: 0n,
  consoleLine: 'ttyS0',
  scriptLine: 'ttyS1',
  // On a busy machine the emulated timer is late, and the kernel would panic: "IO-APIC + timer doesn't work".
  kernelWords: ['no_timer_check'],
  scriptSerial: ['-serial', 'stdio'],
};

export const aarch64: Architecture = {
  name: 'aarch64',
  debian: 'arm64',
  elfMachine: 183,
  emulator: 'qemu-system-aarch64',
  emulatorPackage: 'qemu-system-arm',
  machine: 'virt',
  // One that every arm64 kernel knows: "max" has features that older ones stumble over.
  processor: 'cortex-a57',
  ramBase: 0x4000_0000n,
  consoleLine: 'ttyAMA0',
  // The machine has one UART; the second line is on the PCI bus.
  scriptLine: 'ttyS0',
  kernelWords: [],
  scriptSerial: ['-chardev', 'stdio,id=script', '-device', 'pci-serial,chardev=script'],
};

/** The bytes of an image that QEMU would unpack: arm64's Image.gz. Others, and what only begins like one, as they are. */
function unpacked(image: Buffer): Buffer {
  if (image.toString('latin1', 0, 2) !== '\x1f\x8b') {
    return image;
  }
  try {
    return gunzipSync(image);
  } catch {
    return image;
  }
}

/**
 * Which architecture a kernel's image is for, by the magic numbers of Linux' boot protocols: "HdrS" at 0x202 of an x86 bzImage
 * (Documentation/arch/x86/boot.rst), "ARM\x64" at 0x38 of an arm64 Image (Documentation/arch/arm64/booting.rst), which may be
 * packed by gzip. Undefined for any other file.
 */
export function architectureOf(image: Buffer): Architecture | undefined {
  if (image.toString('latin1', 0x202, 0x206) === 'HdrS') {
    return x86;
  }
  return unpacked(image).toString('latin1', 0x38, 0x3c) === 'ARMd' ? aarch64 : undefined;
}

/** Whether a file is an ELF file of the architecture. */
export function isProgramFor({ elfMachine }: Architecture, file: Buffer): boolean {
  return file.length >= 20 && file.toString('latin1', 0, 4) === '\x7fELF' && file.readUInt16LE(18) === elfMachine;
}
