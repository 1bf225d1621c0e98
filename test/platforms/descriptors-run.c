// Runs platforms/engine/descriptors.c on the cases of descriptors.test.ts, which come as numbers on the standard input: for each one the
// windows, what is written into them, and a call. Prints what the call answered, left in the tables, and asked of the machine, and in
// the end, on the error output, how many words of shared memory were read, which instrumented code tells.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptors-reads.h"
#include "descriptors.h"
#include "machine.h"
#include "natives.h"

enum { WINDOWS = 4 };

static struct {
	uint8_t *base;
	uint32_t bytes;
} memories[WINDOWS];

void machine_barrier(void)
{
	printf("barrier ");
}

// The window in which `from` lies; -1 = none.
static int window_of(const void *from)
{
	for (int window = 0; window < WINDOWS; window++)
		if ((const uint8_t *)from >= memories[window].base && (const uint8_t *)from < memories[window].base + memories[window].bytes)
			return window;
	return -1;
}

bool reads_shared(const void *from)
{
	return window_of(from) >= 0;
}

void machine_invalidate(const void *from, uint32_t bytes)
{
	int window = window_of(from);

	if (window >= 0)
		printf("invalidate %d %td %" PRIu32 " ", window, (const uint8_t *)from - memories[window].base, bytes);
}

void natives_fatal(const char *message)
{
	printf("fatal: %s\n", message);
	exit(1);
}

uint8_t *natives_range(uint32_t window, uint32_t offset, uint32_t bytes)
{
	if (window >= WINDOWS || offset > memories[window].bytes || bytes > memories[window].bytes - offset)
		natives_fatal("outside the window");
	return memories[window].base + offset;
}

static uint32_t number(void)
{
	int64_t value;

	if (scanf("%" SCNd64, &value) != 1)
		exit(2);
	return (uint32_t)value;
}

int main(void)
{
	struct tables *t = descriptors_tables();
	uint32_t cases = number();

	for (int window = 0; window < WINDOWS; window++) {
		memories[window].bytes = number();
		memories[window].base = malloc(memories[window].bytes);
	}
	while (cases-- > 0) {
		t->windows = WINDOWS;
		t->bus = (int32_t)number();
		for (int window = 0; window < WINDOWS; window++) {
			memset(memories[window].base, 0, memories[window].bytes);
			t->window_last[window] = (int32_t)number();
			t->window_cached[window] = (uint8_t)number();
			t->window_barred[window] = (uint8_t)number();
			for (int half = 0; half < 4; half++)
				t->window_base[window][half] = (uint16_t)number();
		}
		for (uint32_t writes = number(); writes > 0; writes--) {
			uint32_t window = number(), word = number(), value = number();

			memcpy(natives_range(window, word * 2, 2), &(uint16_t){ (uint16_t)value }, 2);
		}
		t->next_or_id = t->table_window = t->table_at = t->table_entries = -1;
		memset(t->element_window, 255, sizeof t->element_window);
		memset(t->element_offset, 255, sizeof t->element_offset);
		memset(t->element_bytes, 255, sizeof t->element_bytes);
		uint32_t packed = number(), window = number(), base = number(), entry = number(), place = number(), sign = number();
		reads_begin();
		uint32_t answer = packed ? descriptors_packed(window, base, entry, place, sign) : descriptors_split(window, base, entry, place);
		// A table that lies over the descriptor which refers to it is two descriptors.
		int32_t ahead = t->table_at - (int32_t)(base + entry * 8);
		if (reads_twice() && !(t->table_window == (int32_t)window && ahead > -8 && ahead < 8))
			natives_fatal("a word was read twice");
		printf("answer %" PRIu32 " other %d %d %d %d row %d %d %d\n", answer, t->next_or_id, t->table_window, t->table_at,
		       t->table_entries, t->element_window[place], t->element_offset[place], t->element_bytes[place]);
	}
	fprintf(stderr, "%u", reads_in_all);
	return 0;
}
