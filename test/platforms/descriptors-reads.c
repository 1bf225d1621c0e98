// Says whether a word was read twice: what a compiler calls before each access in code compiled with -fsanitize=thread, without its library.
#include "descriptors-reads.h"

#include <stddef.h>

enum { MOST = 64 };

static const void *seen[MOST];
static size_t words;
static bool twice;

unsigned reads_in_all;

void reads_begin(void)
{
	words = 0;
	twice = false;
}

bool reads_twice(void)
{
	return twice;
}

static void note(const void *from)
{
	reads_in_all++;
	for (size_t at = 0; at < words; at++)
		twice |= seen[at] == from;
	if (words == MOST)
		twice = true;
	else
		seen[words++] = from;
}

// The tables have words of 16 bits, too.
void __tsan_read2(void *from)
{
	if (reads_shared(from))
		note(from);
}

// For compilers that tell volatile words, which those of shared memory are, from others.
void __tsan_volatile_read2(void *from)
{
	__tsan_read2(from);
}

#define IGNORED(name)           \
	void name(void *from)   \
	{                       \
		(void)from;     \
	}

IGNORED(__tsan_func_entry)
IGNORED(__tsan_func_exit)
IGNORED(__tsan_read1)
IGNORED(__tsan_read4)
IGNORED(__tsan_read8)
IGNORED(__tsan_write1)
IGNORED(__tsan_write2)
IGNORED(__tsan_write4)
IGNORED(__tsan_write8)

void __tsan_init(void)
{
}
