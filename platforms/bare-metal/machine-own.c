// A machine that runs one side on a core of its own; the other side runs on another core.
#include "bare-metal.h"
#include "board.h"
#include "natives.h"
#include "seeded-random.h"

// What Duktape may take to throw a RangeError when the stack runs down, with an interrupt on top. 1.4 KB
// were measured for recursion through Array.prototype.map.
enum { STACK_RESERVE = 4096 };

BOARD_PRIVATE_WINDOW
struct machine_window machine_windows[] = BOARD_WINDOWS;
const uint32_t machine_window_count = sizeof machine_windows / sizeof *machine_windows;

static const uint32_t registers[] = BOARD_REGISTERS;
static const uint32_t lines[] = BOARD_INTERRUPTS;
// A board may have none of either; as enum constants of 0 they could not be compared with an unsigned number.
static const uint32_t register_blocks = sizeof registers / sizeof *registers, line_count = sizeof lines / sizeof *lines;

extern uint32_t main_stack_low[], main_stack_high[], main_heap_start[], main_heap_end[];
extern const char bundle_main[], bundle_main_end[];

static volatile uint32_t pending; // lines that fired since the last idle returned; they are masked
#ifdef BOARD_UART_LINE
static volatile bool listening; // a read found the serial line empty: its interrupt may end a sleep
#endif

enum machine_side machine_side(void)
{
	return BOARD_SIDE;
}

void machine_line(uint32_t line)
{
	for (uint32_t index = 0; index < line_count; index++) {
		if (lines[index] == line) {
			line_mask(line);
			pending |= 1u << index;
			__asm volatile("dsb");
			return;
		}
	}
#ifdef BOARD_UART_LINE
	if (line == BOARD_UART_LINE) {
		line_mask(line);
		listening = false;
		pending |= MACHINE_SERIAL;
		__asm volatile("dsb");
		return;
	}
#endif
	natives_fatal("an interrupt came that board.json does not name");
}

uint32_t machine_idle(uint32_t limit)
{
	uint64_t until = timer_microseconds() + limit;
	uint32_t fired;

	for (uint32_t index = 0; index < line_count; index++) {
		if (!(pending & 1u << index))
			line_unmask(lines[index]);
	}
#ifdef BOARD_UART_LINE
	if (listening)
		line_unmask(BOARD_UART_LINE);
#endif
	for (;;) {
		// Handlers run only here; a line that fires later is pending at the processor and ends the sleep at once.
		__asm volatile("cpsie i\n isb\n cpsid i" : : : "memory");
		if (pending || timer_microseconds() >= until)
			break;
		timer_alarm(until);
		__asm volatile("dsb\n wfi" : : : "memory");
	}
	timer_alarm_off();
	fired = pending;
	pending = 0;
	return fired;
}

struct machine_area machine_heap(void)
{
	return (struct machine_area){ main_heap_start, (uint32_t)((uintptr_t)main_heap_end - (uintptr_t)main_heap_start) };
}

struct machine_bundle machine_bundle(void)
{
	return (struct machine_bundle){ bundle_main, (size_t)(bundle_main_end - bundle_main), BOARD_BUNDLE_NAME };
}

bool machine_stack_low(void)
{
	return (uint32_t)__builtin_frame_address(0) < (uint32_t)main_stack_low + STACK_RESERVE;
}

uint32_t machine_random(uint8_t *to, uint32_t bytes)
{
#if BOARD_SEEDED_RANDOM
	seeded_random_fill(to, bytes);
	return bytes;
#else
	// Whoever asks for entropy waits: bytes that can be foretold would be worse than none.
	(void)to;
	(void)bytes;
	return 0;
#endif
}

uint32_t machine_register_read(uint32_t block, uint32_t offset)
{
	if (block >= register_blocks)
		natives_fatal("a register was read in a block that board.json does not name");
	return REGISTER(registers[block] + offset);
}

void machine_register_write(uint32_t block, uint32_t offset, uint32_t value)
{
	if (block >= register_blocks)
		natives_fatal("a register was written in a block that board.json does not name");
	REGISTER(registers[block] + offset) = value;
}

void machine_write(const char *text, size_t bytes)
{
#ifdef BOARD_TRACE_BYTES
	trace_write(text, bytes);
#endif
#ifdef BOARD_UART
	uart_write(BOARD_UART, text, bytes);
#endif
}

#ifdef BOARD_UART_LINE
uint32_t machine_read(uint8_t *to, uint32_t bytes)
{
	uint32_t got = uart_read(BOARD_UART, to, bytes);

	// What stays in the line because there was no room for it must not end every sleep.
	listening = (got & MACHINE_READ_BYTES) < bytes;
	if (!listening)
		line_mask(BOARD_UART_LINE);
	return got;
}
#endif

void machine_write_error(const char *text, size_t bytes)
{
	machine_write(text, bytes);
}

void machine_park(void)
{
	__asm volatile("cpsid i");
	for (uint32_t index = 0; index < line_count; index++)
		line_mask(lines[index]);
#ifdef BOARD_UART_LINE
	line_mask(BOARD_UART_LINE);
#endif
	for (;;)
		__asm volatile("wfi");
}

void machine_report(void)
{
	stack_report("driver", (struct stack){ main_stack_low, main_stack_high });
	// The other core's stack lies at the start of its memory; this core can read it.
	stack_report("device", (struct stack){ (uint32_t *)BOARD_DEVICE_STACK_LOW,
					       (uint32_t *)(BOARD_DEVICE_STACK_LOW + BOARD_DEVICE_STACK) });
}

void machine_main(void)
{
#ifdef BOARD_TRACE_BYTES
	// Not a word about it: what it would be written to is one of the windows.
	if (!resource_table_holds())
		machine_end(3);
	trace_start();
#endif
#ifdef BOARD_UART
	uart_start(BOARD_UART);
#endif
	timer_start(BOARD_TIMER);
	machine_check();
	engine_run();
}
