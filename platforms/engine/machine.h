// What the engine glue and the shared natives need from a machine: every machine.c fulfils this, whatever the engine.
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The two halves of a scene. A core of its own runs one of them; a machine with one core runs both in turn.
enum machine_side { MACHINE_DEVICE, MACHINE_DRIVER, MACHINE_SIDES };

// A stretch of memory that both sides reach, or that is private to the device; the index in the table is the window number of board.json.
struct machine_window {
	uint8_t *base;
	uint32_t bytes;
};

struct machine_area {
	void *base;
	uint32_t bytes;
};

// A bundle, as text or as the engine's bytecode, and the name under which its errors are reported.
struct machine_bundle {
	const char *text;
	size_t bytes;
	const char *name;
};

extern struct machine_window machine_windows[];
extern const uint32_t machine_window_count;

// The side whose code is running.
enum machine_side machine_side(void);

// The running side's heap area and bundle. Start-up only.
struct machine_area machine_heap(void);
struct machine_bundle machine_bundle(void);

// True when the running side's C stack is nearly used up: the engine then throws instead of recursing.
bool machine_stack_low(void);

// Fills with random bytes; returns how many were placed.
uint32_t machine_random(uint8_t *to, uint32_t bytes);

// Orders all earlier memory accesses before all later ones, as seen by the other cores.
void machine_barrier(void);

// Writes the data cache's bytes of a range back, or drops them. A machine whose windows are not cached leaves both out: natives.c has
// some that do nothing.
void machine_clean(const void *from, uint32_t bytes);
void machine_invalidate(const void *from, uint32_t bytes);

// Unmasks the interrupt lines and sleeps until one is pending or `limit` microseconds have passed (0 = do not sleep).
// Returns the lines that fired (bit = index in board.json "interrupts"), which stay masked until the next call, and MACHINE_SERIAL.
enum { MACHINE_SERIAL = 1 << 26 };
uint32_t machine_idle(uint32_t limit);

// Timer ticks since start; the unit is the machine's, see machine_instructions_per_tick. 0 always = not counted.
uint64_t machine_ticks(void);

// Instructions that one tick stands for under the emulator's instruction clock; 0 = not known.
uint32_t machine_instructions_per_tick(void);

// Microseconds since start, modulo 2^27.
uint32_t machine_clock(void);

// One access of 32 bits to the register block with this index in board.json "registers".
uint32_t machine_register_read(uint32_t block, uint32_t offset);
void machine_register_write(uint32_t block, uint32_t offset, uint32_t value);

// Takes up to `bytes` (1..65535) bytes that came over the running side's serial line; never waits. Returns how many, fewer than
// `bytes` when no more are there: machine_idle then ends with MACHINE_SERIAL when one comes. MACHINE_READ_LOST is added when the line lost
// bytes since the last call. A machine without input leaves it out: natives.c has one that never gives any.
enum { MACHINE_READ_BYTES = 0xffff, MACHINE_READ_LOST = 1 << 16 };
uint32_t machine_read(uint8_t *to, uint32_t bytes);

// Writes text to the running side's serial line; `machine_write_error` is for a last message before the end.
void machine_write(const char *text, size_t bytes);
void machine_write_error(const char *text, size_t bytes);

// Ends the program with a status where there is something to return to.
_Noreturn void machine_end(int status);

// Stops the running side for good and leaves the other one running.
_Noreturn void machine_park(void);

// The engine's entry: runs the running side's bundle and does not return. Called by the machine once per side.
_Noreturn void engine_run(void);

#endif
