// Whether the reader of descriptors reads a word of shared memory twice; without instrumented code nothing is ever seen.
#ifndef DESCRIPTORS_READS_H
#define DESCRIPTORS_READS_H

#include <stdbool.h>

// Words of shared memory read since the start.
extern unsigned reads_in_all;

// A call begins.
void reads_begin(void);
// True when a word has been read a second time since then.
bool reads_twice(void);
// True when `from` lies in a window; by the program.
bool reads_shared(const void *from);

#endif
