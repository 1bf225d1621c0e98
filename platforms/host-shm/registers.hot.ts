// The register blocks of the runner, which machine.c supplies: its doorbell, what it was started with, and its trace.
//
// Block 0, doorbell    offset
// RING                     00   a write rings the other side
//
// Block 1, start-up    offset
// WINDOWS                  00   how many windows there are
// LAYOUTS                  04   how many layout places there are
// window n          100 + 10n   +0 driver address bits 31..0, +4 bits 63..32, +8 bytes,
//                          +c 0 = no driver address leads there, 1 = one does, 2 = the device's own memory
// layout n           800 + 8n   +0 window, +4 byte offset
//
// Block 2, trace       offset
// SELECT                   00   bits 15..0 window, bits 31..16 bytes
// PRINT                    04   bits 30..0 byte offset, bit 31 direction: prints that range as one line

export const enum Block {
  Doorbell = 0,
  StartUp = 1,
  Trace = 2,
}

export const enum Register {
  Ring = 0x000,
  Windows = 0x000,
  Layouts = 0x004,
  Window = 0x100,
  WindowStride = 0x010,
  Layout = 0x800,
  LayoutStride = 0x008,
  TraceSelect = 0x000,
  TracePrint = 0x004,
}

/** What `idle` returns: bits by the index in board.json "interrupts". */
export const enum Line {
  Doorbell = 1,
  Stop = 2,
}
