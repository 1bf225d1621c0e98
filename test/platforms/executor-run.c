// Runs a script in the Duktape it is linked to: executor-run < script. EDITED: it is the one that images hold, which has natives
// for numbers (overrides.h); the other one is as Debian has it, and knows them as functions like any other.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "duktape.h"

#include "../../platforms/engine/duktape/developer.h"

static char script[1 << 20];

static duk_ret_t print(duk_context *ctx)
{
	puts(duk_safe_to_string(ctx, 0));
	return 0;
}

// backed(bytes): an ArrayBuffer over memory that `resize(bytes)` makes shorter or longer behind its back.
static duk_ret_t backed(duk_context *ctx)
{
	duk_size_t bytes = (duk_size_t)duk_get_int(ctx, 0);

	duk_push_heap_stash(ctx);
	duk_push_dynamic_buffer(ctx, bytes);
	duk_dup_top(ctx);
	duk_put_prop_string(ctx, -3, "backed");
	duk_push_buffer_object(ctx, -1, 0, bytes, DUK_BUFOBJ_ARRAYBUFFER);
	return 1;
}

static duk_ret_t resize(duk_context *ctx)
{
	duk_push_heap_stash(ctx);
	duk_get_prop_string(ctx, -1, "backed");
	duk_resize_buffer(ctx, -1, (duk_size_t)duk_get_int(ctx, 0));
	return 0;
}

// difference(a, b): a native for numbers that gives one; `kept(n)` keeps one and gives nothing, `last()` gives it.
static uint32_t kept_number;

static uint32_t difference(const uint32_t *n)
{
	return n[0] - n[1];
}

static uint32_t keep(const uint32_t *n)
{
	kept_number = n[0];
	return 0;
}

static uint32_t last(const uint32_t *n)
{
	(void)n;
	return kept_number;
}

#ifndef EDITED
struct glue_native {
	const char *name;
	uint32_t (*run)(const uint32_t *numbers);
	uint8_t arguments;
	bool gives;
};
#endif

const struct glue_native glue_natives[] = { { "difference", difference, 2, true }, { "keep", keep, 1, false }, { "last", last, 0, true } };

duk_ret_t glue_native(duk_context *ctx)
{
	const struct glue_native *native = &glue_natives[duk_get_current_magic(ctx)];
	uint32_t numbers[2];

	for (duk_idx_t at = 0; at < native->arguments; at++)
		numbers[at] = (uint32_t)duk_get_int(ctx, at);
	uint32_t result = native->run(numbers);
	if (native->gives)
		duk_push_uint(ctx, result);
	return native->gives;
}

int main(void)
{
	size_t bytes = fread(script, 1, sizeof script, stdin);
	duk_context *ctx = duk_create_heap(allocate, reallocate, release, NULL, NULL);

	duk_push_object(ctx);
	duk_push_c_function(ctx, print, 1);
	duk_put_prop_string(ctx, -2, "print");
	duk_push_c_function(ctx, backed, 1);
	duk_put_prop_string(ctx, -2, "backed");
	duk_push_c_function(ctx, resize, 1);
	duk_put_prop_string(ctx, -2, "resize");
	for (int at = 0; at < 3; at++) {
		duk_push_c_lightfunc(ctx, glue_native, glue_natives[at].arguments, glue_natives[at].arguments, at);
		duk_put_prop_string(ctx, -2, glue_natives[at].name);
	}
	duk_push_c_function(ctx, print, 1);
	duk_put_prop_string(ctx, -2, "exit");
	duk_put_global_string(ctx, "native");
	duk_int_t failed = duk_peval_lstring(ctx, script, bytes);
	if (failed)
		fprintf(stderr, "%s\n", duk_safe_to_string(ctx, -1));
	return failed ? 1 : 0;
}
