// A seeded generator of random bytes for emulated machines and repeatable runs. Not for cryptography.
#ifndef SEEDED_RANDOM_H
#define SEEDED_RANDOM_H

#include <stdint.h>

// Fills from a state; returns the state after it. 0 stays 0.
uint32_t seeded_random_next(uint32_t state, uint8_t *to, uint32_t bytes);

// The machine's own generator.
void seeded_random_start(uint32_t seed);
void seeded_random_fill(uint8_t *to, uint32_t bytes);

#endif
