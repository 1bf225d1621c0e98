// Random allocations, reallocations and releases on a small heap; every payload is checked for its pattern.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

enum { AREA = 65536, SLOTS = 200, STEPS = 400000 };

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			printf("step %d: %s\n", step, #condition); \
			return 1; \
		} \
	} while (0)

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % limit;
}

static int intact(const uint8_t *payload, size_t bytes, uint8_t pattern)
{
	for (size_t at = 0; at < bytes; at++)
		if (payload[at] != pattern)
			return 0;
	return 1;
}

int main(void)
{
	static _Alignas(8) uint8_t area[AREA];
	uint8_t *payload[SLOTS] = { 0 };
	size_t bytes[SLOTS] = { 0 };
	struct heap heap;
	uint32_t asked = 0, refused = 0, peak = 0;
	int step = -1;

	heap_start(&heap, area, AREA);
	CHECK(heap_allocate(&heap, (size_t)-1) == NULL);
	CHECK(heap_allocate(&heap, AREA) == NULL);
	CHECK(heap.live == 0 && heap.failures == 2 && heap.allocations == 2);
	heap_start(&heap, area, AREA);
	for (step = 0; step < STEPS; step++) {
		uint32_t slot = random_below(SLOTS);
		uint8_t pattern = (uint8_t)(slot + 1);
		size_t wanted = random_below(16) ? 1 + random_below(300) : 1 + random_below(6000);

		CHECK(payload[slot] == NULL || intact(payload[slot], bytes[slot], pattern));
		if (random_below(3) == 0) {
			heap_release(&heap, payload[slot]);
			payload[slot] = NULL;
		} else {
			uint8_t *given = heap_reallocate(&heap, payload[slot], wanted);
			asked++;
			if (given == NULL) {
				refused++;
				CHECK(payload[slot] == NULL || intact(payload[slot], bytes[slot], pattern));
				continue;
			}
			CHECK(((uintptr_t)given & 7) == 0);
			CHECK(given >= area && given + wanted <= area + AREA);
			size_t kept = payload[slot] == NULL ? 0 : bytes[slot] < wanted ? bytes[slot] : wanted;
			CHECK(intact(given, kept, pattern));
			memset(given, pattern, wanted);
			payload[slot] = given;
			bytes[slot] = wanted;
		}
		uint32_t least = 0;
		for (int at = 0; at < SLOTS; at++)
			least += payload[at] ? (uint32_t)bytes[at] : 0;
		CHECK(heap.live >= least && heap.live <= AREA);
		if (heap.live > peak)
			peak = heap.live;
		CHECK(heap.peak >= peak);
		CHECK(heap.allocations == asked && heap.failures == refused);
	}
	CHECK(refused > 0);
	for (int at = 0; at < SLOTS; at++)
		heap_release(&heap, payload[at]);
	CHECK(heap.live == 0);
	CHECK(heap_allocate(&heap, AREA - 12) != NULL);
	return 0;
}
