// An allocator on one fixed area that counts what it does: the measure of "free of garbage".
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>
#include <stdint.h>

// Blocks below 256 bytes have a list per size (steps of 8 bytes), larger ones a list per power of two.
enum { HEAP_SMALL_LISTS = 32, HEAP_LISTS = HEAP_SMALL_LISTS + 24 };

struct heap {
	uint8_t *base;
	uint32_t bytes;
	uint32_t free[HEAP_LISTS]; // offset of the first free block, 0 = none
	uint64_t occupied;         // bit n: list n is not empty
	uint32_t live;             // bytes of the blocks in use, headers included
	uint32_t peak;             // the most that `live` has been
	uint32_t allocations;      // allocations and reallocations asked for
	uint32_t failures;         // those that could not be given
};

// Takes over an area (aligned to 8, at most 2^31 bytes).
void heap_start(struct heap *heap, void *area, uint32_t bytes);
void *heap_allocate(struct heap *heap, size_t bytes);
void *heap_reallocate(struct heap *heap, void *payload, size_t bytes);
void heap_release(struct heap *heap, void *payload);

#endif
