// What machines that are Linux processes share: memory, bundles, options, and the parts of machine.h that need no hardware.
#ifndef PROCESS_H
#define PROCESS_H

#include "machine.h"

// Ends the program with a sentence: status 64, the convention for wrong usage.
_Noreturn void process_give_up(const char *what, const char *which);

// Zeroed memory, or the first `bytes` bytes of a file that is made and grown where needed.
uint8_t *process_map(const char *file, size_t bytes);

// Reads a bundle; its name is the file's without folders.
struct machine_bundle process_load(const char *file);

// The number of an option.
unsigned long long process_count(const char *text, const char *option, unsigned long long least, unsigned long long most);

// From now on random bytes come from the seeded generator.
void process_seed(uint32_t seed);

#endif
