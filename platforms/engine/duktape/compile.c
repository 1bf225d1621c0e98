// Compiles bundles on the developer's machine, with the same Duktape and the same settings as the image:
//   vmsg-duktape compile NAME < source > dump     Duktape's own dump, duk_dump_function
//   vmsg-duktape freeze SYMBOL=DUMP ... > rom.c   the engine's built-in objects and the dumped functions as constants in C
#include "duktape.c"

#include <stdio.h>
#include <stdlib.h>

#include "developer.h"
#include "freeze.c"

static char text[1 << 24];

// The compiler calls no native.
const struct glue_native glue_natives[] = { { NULL, NULL, 0, false } };

duk_ret_t glue_native(duk_context *ctx)
{
	(void)ctx;
	return 0;
}

static void fatal(void *heap, const char *message)
{
	(void)heap;
	fprintf(stderr, "%s\n", message ? message : "the engine stopped");
	exit(1);
}

static int compile(duk_context *ctx, const char *name)
{
	size_t bytes = fread(text, 1, sizeof text, stdin);

	if (bytes == sizeof text)
		fatal(NULL, "a bundle has less than 16 MiB");
	duk_push_string(ctx, name);
	if (duk_pcompile_lstring_filename(ctx, 0, text, bytes) != 0)
		fatal(NULL, duk_safe_to_string(ctx, -1));
	duk_dump_function(ctx);
	duk_size_t dumped;
	const void *dump = duk_get_buffer(ctx, -1, &dumped);
	return fwrite(dump, 1, dumped, stdout) == dumped ? 0 : 1;
}

static int freeze(duk_context *ctx, int count, char **bundles)
{
	glue_remove_unused(ctx);
	for (int at = 0; at < count; at++) {
		char *dump = strchr(bundles[at], '=');
		FILE *file = dump == NULL ? NULL : fopen(dump + 1, "rb");
		size_t bytes = file == NULL ? 0 : fread(text, 1, sizeof text, file);
		if (bytes == 0 || bytes == sizeof text)
			fatal(NULL, "a dump cannot be read");
		fclose(file);
		*dump = 0;
		memcpy(duk_push_fixed_buffer(ctx, bytes), text, bytes);
		duk_load_function(ctx);
		freeze_bundle(bundles[at], duk_get_heapptr(ctx, -1));
	}
	freeze_all(ctx);
	return ferror(stdout) != 0;
}

int main(int count, char **arguments)
{
	duk_context *ctx = duk_create_heap(allocate, reallocate, release, NULL, fatal);

	if (ctx != NULL && count == 3 && strcmp(arguments[1], "compile") == 0)
		return compile(ctx, arguments[2]);
	if (ctx != NULL && count > 2 && strcmp(arguments[1], "freeze") == 0)
		return freeze(ctx, count - 2, arguments + 2);
	fprintf(stderr, "usage: vmsg-duktape compile NAME < source (below 16 MiB) > dump\n       vmsg-duktape freeze SYMBOL=DUMP ... > rom.c\n");
	return 64;
}
