// An allocator on one fixed area: boundary tags, free lists by size, blocks joined as soon as they are released.
//
// A block begins with a tag (its size in bytes, a multiple of 8, and two flags); its payload follows and is aligned to
// 8, so tags lie at 8n + 4. A free block keeps the offsets of its list neighbours after the tag and its size in its last
// four bytes, where the block behind it finds it.
#include "heap.h"

#include <string.h>

enum { USED = 1, PREVIOUS_USED = 2, FLAGS = 7, TAG = 4, SMALLEST = 16 };

static uint32_t *word(const struct heap *heap, uint32_t offset)
{
	return (uint32_t *)(void *)(heap->base + offset);
}

static uint32_t size_of(const struct heap *heap, uint32_t block)
{
	return *word(heap, block) & ~(uint32_t)FLAGS;
}

static unsigned list_of(uint32_t size)
{
	return size < 8 * HEAP_SMALL_LISTS ? size / 8 : HEAP_SMALL_LISTS + 23 - (unsigned)__builtin_clz(size);
}

static void insert(struct heap *heap, uint32_t block, uint32_t size)
{
	unsigned list = list_of(size);
	uint32_t first = heap->free[list];

	*word(heap, block) = size | PREVIOUS_USED;
	*word(heap, block + 4) = first;
	*word(heap, block + 8) = 0;
	*word(heap, block + size - 4) = size;
	*word(heap, block + size) &= ~(uint32_t)PREVIOUS_USED;
	if (first)
		*word(heap, first + 8) = block;
	heap->free[list] = block;
	heap->occupied |= (uint64_t)1 << list;
}

static void take_out(struct heap *heap, uint32_t block)
{
	uint32_t next = *word(heap, block + 4), previous = *word(heap, block + 8);
	unsigned list = list_of(size_of(heap, block));

	if (next)
		*word(heap, next + 8) = previous;
	if (previous)
		*word(heap, previous + 4) = next;
	else if (!(heap->free[list] = next))
		heap->occupied &= ~((uint64_t)1 << list);
}

// Marks the first `size` of the block's `available` bytes as used and gives the rest back.
static void use(struct heap *heap, uint32_t block, uint32_t available, uint32_t size)
{
	uint32_t flags = (*word(heap, block) & PREVIOUS_USED) | USED;

	if (available - size < SMALLEST)
		size = available;
	*word(heap, block) = size | flags;
	*word(heap, block + size) |= PREVIOUS_USED;
	if (size < available) {
		uint32_t rest = block + size, rest_size = available - size, after = rest + rest_size;
		if (!(*word(heap, after) & USED)) {
			rest_size += size_of(heap, after);
			take_out(heap, after);
		}
		insert(heap, rest, rest_size);
	}
	heap->live += size;
	if (heap->live > heap->peak)
		heap->peak = heap->live;
}

// Bytes of the block that holds this payload; 0 = more than any heap has.
static uint32_t block_size(const struct heap *heap, size_t bytes)
{
	if (bytes > heap->bytes)
		return 0;
	uint32_t size = ((uint32_t)bytes + TAG + 7) & ~(uint32_t)7;
	return size < SMALLEST ? SMALLEST : size;
}

static void *find(struct heap *heap, uint32_t size)
{
	unsigned list = list_of(size);
	uint32_t block = heap->free[list];

	// Only inside one list do sizes differ; every block of a later list is large enough.
	while (block && size_of(heap, block) < size)
		block = *word(heap, block + 4);
	if (!block) {
		uint64_t later = heap->occupied & ~(((uint64_t)2 << list) - 1);
		if (!later)
			return NULL;
		block = heap->free[__builtin_ctzll(later)];
	}
	take_out(heap, block);
	use(heap, block, size_of(heap, block), size);
	return heap->base + block + TAG;
}

void heap_start(struct heap *heap, void *area, uint32_t bytes)
{
	memset(heap, 0, sizeof *heap);
	heap->base = area;
	heap->bytes = bytes & ~(uint32_t)7;
	uint32_t first = 4, end = heap->bytes - 4;
	*word(heap, end) = USED;
	insert(heap, first, end - first);
}

void *heap_allocate(struct heap *heap, size_t bytes)
{
	if (bytes == 0)
		return NULL;
	uint32_t size = block_size(heap, bytes);
	void *payload = size ? find(heap, size) : NULL;

	heap->allocations++;
	heap->failures += payload == NULL;
	return payload;
}

void heap_release(struct heap *heap, void *payload)
{
	if (payload == NULL)
		return;
	uint32_t block = (uint32_t)((uint8_t *)payload - heap->base) - TAG;
	uint32_t size = size_of(heap, block), after = block + size;

	heap->live -= size;
	if (!(*word(heap, after) & USED)) {
		size += size_of(heap, after);
		take_out(heap, after);
	}
	if (!(*word(heap, block) & PREVIOUS_USED)) {
		uint32_t before = *word(heap, block - 4);
		block -= before;
		size += before;
		take_out(heap, block);
	}
	insert(heap, block, size);
}

void *heap_reallocate(struct heap *heap, void *payload, size_t bytes)
{
	if (payload == NULL)
		return heap_allocate(heap, bytes);
	if (bytes == 0) {
		heap_release(heap, payload);
		return NULL;
	}
	heap->allocations++;
	uint32_t block = (uint32_t)((uint8_t *)payload - heap->base) - TAG;
	uint32_t had = size_of(heap, block), available = had, wanted = block_size(heap, bytes), after = block + had;

	if (wanted && wanted > had && !(*word(heap, after) & USED) && had + size_of(heap, after) >= wanted) {
		available += size_of(heap, after);
		take_out(heap, after);
	}
	if (wanted && wanted <= available) {
		heap->live -= had;
		use(heap, block, available, wanted);
		return payload;
	}
	void *moved = wanted ? find(heap, wanted) : NULL;
	if (moved == NULL) {
		heap->failures++;
		return NULL;
	}
	memcpy(moved, payload, had - TAG);
	heap_release(heap, payload);
	return moved;
}
