// Reads descriptors of the rings: each field once, addresses translated. The twin of firmware/memory/descriptors.hot.ts, which says
// what is read and why; test/platforms/descriptors.test.ts holds the two against each other.
#include "descriptors.h"

#include <stdbool.h>
#include <stddef.h>

#include "machine.h"
#include "natives.h"

_Static_assert(offsetof(struct tables, element_offset) == 64 && offsetof(struct tables, element_bytes) == 324 &&
	       offsetof(struct tables, next_or_id) == 584 && offsetof(struct tables, windows) == 600 &&
	       offsetof(struct tables, window_base) == 608 && offsetof(struct tables, window_cached) == 736 &&
	       offsetof(struct tables, window_barred) == 752 && offsetof(struct tables, element_window) == 768,
	       "tables.ts names these offsets");

enum { NEXT = 1, WRITE = 2, NEXT_AND_WRITE = 3, INDIRECT = 4, AVAILABLE_AND_USED = 0x8080 };
enum { BYTES = 16, WORDS = 8, MOST_ENTRIES = 256, MOST_BYTES = 0x7ffffff };
// Answers, see found.hot.ts.
enum { WINDOW_SHIFT = 2, BY_TABLE = 64, BROKEN = 128, NOTHING = 129 };

// The driver side writes to it at any time, so every read of it is one that the compiler must make, and make once.
typedef const volatile uint16_t *descriptor;

// The device side's: no driver reads descriptors, so an image of both sides needs them once.
static struct tables tables;

struct tables *descriptors_tables(void)
{
	return &tables;
}

// The descriptor at word `at` of `window`, come from memory.
static descriptor fetch(const struct tables *t, uint32_t window, uint32_t at)
{
	uint8_t *from = natives_range(window, at * 2, BYTES);

	if (t->window_cached[window])
		machine_invalidate(from, BYTES);
	return (descriptor)(const void *)from;
}

static uint32_t length(descriptor d)
{
	uint32_t low = d[4];

	return low | (uint32_t)d[5] << 16;
}

// Finds the shared window that holds all of `bytes` (1..MOST_BYTES) bytes from the descriptor's address on; false when none does.
static bool locate(const struct tables *t, descriptor d, uint32_t bytes, uint32_t *window, uint32_t *offset)
{
	uint32_t a0 = d[0], a1 = d[1], a2 = d[2], a3 = d[3], low = a0 | a1 << 16;

	for (uint32_t at = 0; at < (uint32_t)t->windows; at++) {
		const uint16_t *base = t->window_base[at];
		int32_t last = t->window_last[at];
		// No window crosses a multiple of 4 GiB, so the upper halves must be equal.
		uint32_t from = low - (base[0] | (uint32_t)base[1] << 16);

		if (base[2] == a2 && base[3] == a3 && last >= 0 && from <= (uint32_t)last && bytes - 1 <= (uint32_t)last - from &&
		    !(t->window_barred[at] & t->bus)) {
			*window = at;
			*offset = from;
			return true;
		}
	}
	return false;
}

static uint32_t element(struct tables *t, descriptor d, uint32_t flags, uint32_t place)
{
	uint32_t bytes = length(d), window, offset;

	if (place > DESCRIPTORS_ELEMENTS)
		natives_fatal("a descriptor was read for an element that no chain has");
	if (bytes == 0) {
		t->element_bytes[place] = 0;
		return flags;
	}
	if (bytes > MOST_BYTES || !locate(t, d, bytes, &window, &offset))
		return BROKEN;
	t->element_window[place] = (uint8_t)window;
	t->element_offset[place] = (int32_t)offset;
	t->element_bytes[place] = (int32_t)bytes;
	return flags | window << WINDOW_SHIFT;
}

// The first descriptor of the table to which `d` refers; NULL when that breaks a rule.
static descriptor first_of_table(struct tables *t, descriptor d, uint32_t flags)
{
	uint32_t bytes = length(d), window, offset;

	if ((flags & NEXT) || bytes == 0 || bytes > MOST_ENTRIES * BYTES || bytes % BYTES != 0 || !locate(t, d, bytes, &window, &offset) ||
	    (offset & 1))
		return NULL;
	t->table_window = (int32_t)window;
	t->table_at = (int32_t)(offset / 2);
	t->table_entries = (int32_t)(bytes / BYTES);
	return fetch(t, window, offset / 2);
}

uint32_t descriptors_split(uint32_t window, uint32_t base, uint32_t entry, uint32_t place)
{
	struct tables *t = descriptors_tables();
	descriptor d = fetch(t, window, base + entry * WORDS);
	uint32_t flags = d[6], by_table = 0;

	if (flags & INDIRECT) {
		d = first_of_table(t, d, flags);
		if (d == NULL)
			return BROKEN;
		flags = d[6];
		if (flags & INDIRECT)
			return BROKEN;
		by_table = BY_TABLE;
	}
	if (flags & NEXT)
		t->next_or_id = d[7];
	return element(t, d, (flags & NEXT_AND_WRITE) | by_table, place);
}

uint32_t descriptors_packed(uint32_t window, uint32_t base, uint32_t entry, uint32_t place, uint32_t sign)
{
	struct tables *t = descriptors_tables();
	uint32_t at = base + entry * WORDS;
	descriptor d = fetch(t, window, at);
	uint32_t flags = d[7], by_table = flags & INDIRECT ? BY_TABLE : 0;

	if (sign != 0) {
		if ((flags & AVAILABLE_AND_USED) != sign)
			return NOTHING;
		machine_barrier();
		d = fetch(t, window, at);
	}
	t->next_or_id = d[6];
	flags &= NEXT_AND_WRITE;
	if (sign != 0 && by_table) {
		d = first_of_table(t, d, flags);
		if (d == NULL)
			return BROKEN;
		flags = d[7] & WRITE;
	}
	return element(t, d, flags | by_table, place);
}
