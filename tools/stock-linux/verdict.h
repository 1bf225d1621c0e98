// What both programs of the guest have in common: a check that fails ends the program with its words, and numbers come from a seed.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static __attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...)
{
	__builtin_va_list values;

	__builtin_va_start(values, format);
	vprintf(format, values);
	printf("\n");
	exit(1);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}
