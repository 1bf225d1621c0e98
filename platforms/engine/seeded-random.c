// Marsaglia's xorshift32: an emulated board has no noise source, and a repeatable run wants none. Not for cryptography.
#include "seeded-random.h"

static uint32_t state = 0x2545f491;

uint32_t seeded_random_next(uint32_t from, uint8_t *to, uint32_t bytes)
{
	for (uint32_t at = 0; at < bytes; at++) {
		from ^= from << 13;
		from ^= from >> 17;
		from ^= from << 5;
		to[at] = (uint8_t)(from >> 24);
	}
	return from;
}

void seeded_random_start(uint32_t seed)
{
	// The generator stands still at 0.
	state = seed ? seed : 0x2545f491;
}

void seeded_random_fill(uint8_t *to, uint32_t bytes)
{
	state = seeded_random_next(state, to, bytes);
}
