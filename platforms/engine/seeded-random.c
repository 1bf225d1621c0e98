// Marsaglia's xorshift32: an emulated board has no noise source, and a repeatable run wants none. Not for cryptography.
#include "seeded-random.h"

static uint32_t state = 0x2545f491;

void seeded_random_start(uint32_t seed)
{
	// The generator stands still at 0.
	state = seed ? seed : 0x2545f491;
}

void seeded_random_fill(uint8_t *to, uint32_t bytes)
{
	for (uint32_t at = 0; at < bytes; at++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		to[at] = (uint8_t)(state >> 24);
	}
}
