// The engine-independent half of the natives: range checks, register halves, and the accounts that a log line shows.
#include "natives.h"

#include <string.h>

#include "seeded-random.h"
#include "text.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the bundle's 16-bit views are little-endian");

enum { STATUS_ERROR = 1, STATUS_HEAP_FULL = 2, STATUS_FATAL = 3 };

struct account {
	struct heap heap;
	uint64_t busy;       // ticks spent outside idle and outside log, up to `resumed`
	uint64_t resumed;    // when the side last began to run
	uint32_t wakes;      // returns from idle
	uint32_t collections;
	uint32_t register_high;
};

static struct account accounts[MACHINE_SIDES];

static struct account *account(void)
{
	return &accounts[machine_side()];
}

void natives_start(void)
{
	struct account *side = account();
	struct machine_area area = machine_heap();

	memset(side, 0, sizeof *side);
	heap_start(&side->heap, area.base, area.bytes);
	side->resumed = machine_ticks();
	natives_log(0, (int32_t)machine_instructions_per_tick());
}

struct heap *natives_heap(void)
{
	return &account()->heap;
}

void natives_collection(struct heap *heap)
{
	// The heap is the first member of its account.
	((struct account *)(void *)heap)->collections++;
}

uint8_t *natives_range(uint32_t window, uint32_t offset, uint32_t bytes)
{
	if (window >= machine_window_count || offset > machine_windows[window].bytes ||
	    bytes > machine_windows[window].bytes - offset)
		natives_fatal("a native was given a range outside its window");
	return machine_windows[window].base + offset;
}

void natives_copy(uint32_t to_window, uint32_t to, uint32_t from_window, uint32_t from, uint32_t bytes)
{
	memcpy(natives_range(to_window, to, bytes), natives_range(from_window, from, bytes), bytes);
}

void natives_fill(uint32_t window, uint32_t offset, uint32_t bytes, uint32_t value)
{
	memset(natives_range(window, offset, bytes), (int)(value & 0xff), bytes);
}

void natives_clean(uint32_t window, uint32_t offset, uint32_t bytes)
{
	machine_clean(natives_range(window, offset, bytes), bytes);
}

void natives_invalidate(uint32_t window, uint32_t offset, uint32_t bytes)
{
	machine_invalidate(natives_range(window, offset, bytes), bytes);
}

uint32_t natives_random(uint32_t window, uint32_t offset, uint32_t bytes)
{
	return machine_random(natives_range(window, offset, bytes), bytes);
}

void natives_seeded(uint32_t window, uint32_t offset, uint32_t bytes, uint32_t state_window, uint32_t state)
{
	uint8_t *to = natives_range(window, offset, bytes), *kept = natives_range(state_window, state, sizeof(uint32_t));
	uint32_t value;

	memcpy(&value, kept, sizeof value);
	value = seeded_random_next(value, to, bytes);
	memcpy(kept, &value, sizeof value);
}

uint32_t natives_idle(uint32_t limit)
{
	struct account *side = account();

	side->busy += machine_ticks() - side->resumed;
	uint32_t pending = machine_idle(limit);
	side->resumed = machine_ticks();
	side->wakes++;
	return pending;
}

static void field(struct text *line, uint64_t value)
{
	text_string(line, " ");
	text_decimal(line, value);
}

void natives_log(int32_t code, int32_t value)
{
	struct account *side = account();
	struct text line = { .length = 0 };

	// What the line itself costs is left out of the busy time: it would drown the work between two lines.
	side->busy += machine_ticks() - side->resumed;
	text_string(&line, "~");
	text_signed(&line, code);
	text_string(&line, " ");
	text_signed(&line, value);
	field(&line, machine_clock());
	field(&line, side->busy);
	field(&line, side->wakes);
	field(&line, side->heap.allocations);
	field(&line, side->collections);
	field(&line, side->heap.live);
	field(&line, side->heap.peak);
	text_string(&line, "\n");
	machine_write(line.bytes, line.length);
	side->resumed = machine_ticks();
}

void natives_write(uint32_t window, uint32_t offset, uint32_t bytes)
{
	machine_write((const char *)natives_range(window, offset, bytes), bytes);
}

uint32_t natives_read(uint32_t window, uint32_t offset, uint32_t bytes)
{
	return machine_read(natives_range(window, offset, bytes), bytes);
}

// Those of all machines on which the other side sees what is written: no cache, or none over the windows.
__attribute__((weak)) void machine_clean(const void *from, uint32_t bytes)
{
	(void)from;
	(void)bytes;
}

__attribute__((weak)) void machine_invalidate(const void *from, uint32_t bytes)
{
	(void)from;
	(void)bytes;
}

// The one of all machines that have no input.
__attribute__((weak)) uint32_t machine_read(uint8_t *to, uint32_t bytes)
{
	(void)to;
	(void)bytes;
	return 0;
}

void natives_print(const char *text, size_t bytes)
{
	machine_write(text, bytes);
	machine_write("\n", 1);
}

uint32_t natives_register_read(uint32_t block, uint32_t offset)
{
	uint32_t value = machine_register_read(block, offset);

	account()->register_high = value >> 16;
	return value & 0xffff;
}

uint32_t natives_register_high(void)
{
	return account()->register_high;
}

void natives_register_write(uint32_t block, uint32_t offset, uint32_t low, uint32_t high)
{
	machine_register_write(block, offset, (low & 0xffff) | high << 16);
}

void natives_exit(int status)
{
	if (machine_side() == MACHINE_DEVICE && status == 0)
		machine_park();
	machine_end(status);
}

static void last_line(const char *kind, const char *message, size_t bytes)
{
	machine_write_error(kind, strlen(kind));
	machine_write_error(message, bytes);
	machine_write_error("\n", 1);
}

void natives_error(const char *message, size_t bytes)
{
	last_line("error: ", message, bytes);
	machine_end(STATUS_ERROR);
}

void natives_heap_full(void)
{
	struct account *side = account();
	struct text line = { .length = 0 };

	text_string(&line, "the ");
	text_string(&line, machine_side() == MACHINE_DEVICE ? "device" : "driver");
	text_string(&line, "'s heap is full: ");
	text_decimal(&line, side->heap.peak);
	text_string(&line, " of ");
	text_decimal(&line, side->heap.bytes);
	text_string(&line, " bytes were in use and the next block did not fit; give it a larger heap in board.json");
	last_line("fatal: ", line.bytes, line.length);
	machine_end(STATUS_HEAP_FULL);
}

void natives_fatal(const char *message)
{
	last_line("fatal: ", message, strlen(message));
	machine_end(STATUS_FATAL);
}
