// What Duktape with its changes (overrides.h) asks of a program on the developer's machine: memory of the C library, nothing measured.
#include <stdbool.h>
#include <stdlib.h>

bool machine_stack_low(void)
{
	return false;
}

void glue_collection(void *heap)
{
	(void)heap;
}

double glue_random(void)
{
	return 0;
}

static void *allocate(void *heap, duk_size_t bytes)
{
	(void)heap;
	return malloc(bytes);
}

static void *reallocate(void *heap, void *payload, duk_size_t bytes)
{
	(void)heap;
	return realloc(payload, bytes);
}

static void release(void *heap, void *payload)
{
	(void)heap;
	free(payload);
}
