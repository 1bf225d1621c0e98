// Compiles a bundle on the developer's machine: vmsg-duktape-compile NAME < source > dump. Built from the same Duktape
// with the same settings as the image; the dump is Duktape's own, duk_dump_function.
#include <stdio.h>
#include <stdlib.h>

#include "duktape.h"

static char source[1 << 24];

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

static void fatal(void *heap, const char *message)
{
	(void)heap;
	fprintf(stderr, "%s\n", message ? message : "the engine stopped");
	exit(1);
}

int main(int count, char **arguments)
{
	size_t bytes = fread(source, 1, sizeof source, stdin);
	duk_context *ctx = duk_create_heap(allocate, reallocate, release, NULL, fatal);

	if (count != 2 || bytes == sizeof source || ctx == NULL) {
		fprintf(stderr, "usage: vmsg-duktape-compile NAME < source (below 16 MiB) > dump\n");
		return 64;
	}
	duk_push_string(ctx, arguments[1]);
	if (duk_pcompile_lstring_filename(ctx, 0, source, bytes) != 0) {
		fprintf(stderr, "%s\n", duk_safe_to_string(ctx, -1));
		return 1;
	}
	duk_dump_function(ctx);
	duk_size_t dumped;
	const void *dump = duk_get_buffer(ctx, -1, &dumped);
	return fwrite(dump, 1, dumped, stdout) == dumped ? 0 : 1;
}
