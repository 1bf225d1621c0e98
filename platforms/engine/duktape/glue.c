// Duktape's side of the door: one engine heap per side, the global `native`, and the run of a bundle.
//
// Natives are light functions: values without a heap object. None of them allocates in the engine except `memory`, which
// is for start-up, and `print` when it is given something that is not a string.
#include <string.h>

#include "duktape.h"
#include "natives.h"

static void *allocate(void *heap, duk_size_t bytes)
{
	return heap_allocate(heap, bytes);
}

static void *reallocate(void *heap, void *payload, duk_size_t bytes)
{
	return heap_reallocate(heap, payload, bytes);
}

static void release(void *heap, void *payload)
{
	heap_release(heap, payload);
}

void glue_collection(void *heap)
{
	natives_collection(heap);
}

double glue_random(void)
{
	uint8_t bytes[4] = { 0 };

	machine_random(bytes, sizeof bytes);
	return (bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24) / 4294967296.0;
}

static void fatal(void *heap, const char *message)
{
	if (((struct heap *)heap)->failures)
		natives_heap_full();
	natives_fatal(message ? message : "the engine stopped");
}

static uint32_t number(duk_context *ctx, duk_idx_t index)
{
	return (uint32_t)duk_get_int(ctx, index);
}

// The buffers are made before the bundle runs and kept in the heap's stash, so the collector never frees one.
static duk_ret_t native_memory(duk_context *ctx)
{
	duk_push_heap_stash(ctx);
	duk_get_prop_index(ctx, -1, number(ctx, 0));
	return 1;
}

static duk_ret_t native_copy(duk_context *ctx)
{
	natives_copy(number(ctx, 0), number(ctx, 1), number(ctx, 2), number(ctx, 3), number(ctx, 4));
	return 0;
}

static duk_ret_t native_fill(duk_context *ctx)
{
	natives_fill(number(ctx, 0), number(ctx, 1), number(ctx, 2), number(ctx, 3));
	return 0;
}

static duk_ret_t native_random(duk_context *ctx)
{
	duk_push_uint(ctx, natives_random(number(ctx, 0), number(ctx, 1), number(ctx, 2)));
	return 1;
}

static duk_ret_t native_seeded(duk_context *ctx)
{
	natives_seeded(number(ctx, 0), number(ctx, 1), number(ctx, 2), number(ctx, 3), number(ctx, 4));
	return 0;
}

static duk_ret_t native_clean(duk_context *ctx)
{
	natives_clean(number(ctx, 0), number(ctx, 1), number(ctx, 2));
	return 0;
}

static duk_ret_t native_invalidate(duk_context *ctx)
{
	natives_invalidate(number(ctx, 0), number(ctx, 1), number(ctx, 2));
	return 0;
}

static duk_ret_t native_barrier(duk_context *ctx)
{
	(void)ctx;
	machine_barrier();
	return 0;
}

static duk_ret_t native_idle(duk_context *ctx)
{
	duk_push_uint(ctx, natives_idle(number(ctx, 0)));
	return 1;
}

static duk_ret_t native_clock(duk_context *ctx)
{
	duk_push_uint(ctx, machine_clock());
	return 1;
}

static duk_ret_t native_log(duk_context *ctx)
{
	natives_log(duk_get_int(ctx, 0), duk_get_int(ctx, 1));
	return 0;
}

static duk_ret_t native_write(duk_context *ctx)
{
	natives_write(number(ctx, 0), number(ctx, 1), number(ctx, 2));
	return 0;
}

static duk_ret_t native_print(duk_context *ctx)
{
	duk_size_t bytes;
	const char *text = duk_safe_to_lstring(ctx, 0, &bytes);

	natives_print(text, bytes);
	return 0;
}

static duk_ret_t native_exit(duk_context *ctx)
{
	natives_exit(duk_get_int(ctx, 0));
}

static duk_ret_t native_register_read(duk_context *ctx)
{
	duk_push_uint(ctx, natives_register_read(number(ctx, 0), number(ctx, 1)));
	return 1;
}

static duk_ret_t native_register_high(duk_context *ctx)
{
	duk_push_uint(ctx, natives_register_high());
	return 1;
}

static duk_ret_t native_register_write(duk_context *ctx)
{
	natives_register_write(number(ctx, 0), number(ctx, 1), number(ctx, 2), number(ctx, 3));
	return 0;
}

static const struct {
	const char *name;
	duk_c_function function;
	duk_idx_t arguments;
} members[] = {
	{ "memory", native_memory, 1 },
	{ "copy", native_copy, 5 },
	{ "fill", native_fill, 4 },
	{ "random", native_random, 3 },
	{ "seeded", native_seeded, 5 },
	{ "barrier", native_barrier, 0 },
	{ "clean", native_clean, 3 },
	{ "invalidate", native_invalidate, 3 },
	{ "idle", native_idle, 1 },
	{ "clock", native_clock, 0 },
	{ "log", native_log, 2 },
	{ "write", native_write, 3 },
	{ "print", native_print, 1 },
	{ "exit", native_exit, 1 },
	{ "registerRead", native_register_read, 2 },
	{ "registerHigh", native_register_high, 0 },
	{ "registerWrite", native_register_write, 4 },
};

// In internals.c, which the build appends to duktape.c.
void glue_remove_unused(duk_context *ctx);
void glue_push_program(duk_context *ctx, const void *program);

static duk_ret_t prepare(duk_context *ctx, void *udata)
{
	(void)udata;
#if !defined(GLUE_ROM)
	glue_remove_unused(ctx);
#endif
	duk_push_heap_stash(ctx);
	for (uint32_t window = 0; window < machine_window_count; window++) {
		uint32_t bytes = machine_windows[window].bytes;
		duk_push_external_buffer(ctx);
		duk_config_buffer(ctx, -1, machine_windows[window].base, bytes);
		duk_push_buffer_object(ctx, -1, 0, bytes, DUK_BUFOBJ_ARRAYBUFFER);
		duk_put_prop_index(ctx, -3, window);
		duk_pop(ctx);
	}
	duk_push_bare_object(ctx);
	for (size_t at = 0; at < sizeof members / sizeof *members; at++) {
		duk_push_c_lightfunc(ctx, members[at].function, members[at].arguments, members[at].arguments, 0);
		duk_put_prop_string(ctx, -2, members[at].name);
	}
	duk_put_global_string(ctx, "native");

	struct machine_bundle bundle = machine_bundle();
#if defined(GLUE_ROM)
	glue_push_program(ctx, *(const void *const *)(const void *)bundle.text);
#else
	duk_push_string(ctx, bundle.name);
	duk_compile_lstring_filename(ctx, 0, bundle.text, bundle.bytes);
#endif
	// What the compiler left behind goes before the bundle takes its memory.
	duk_gc(ctx, DUK_GC_COMPACT);
	return 1;
}

// Rewrites the error on top of the stack as one line: message and bundle.
static duk_ret_t describe(duk_context *ctx, void *udata)
{
	(void)udata;
	duk_dup(ctx, -1);
	duk_safe_to_string(ctx, -1);
	if (duk_is_error(ctx, -2)) {
		duk_push_sprintf(ctx, " (%s)", machine_bundle().name);
		duk_concat(ctx, 2);
	}
	return 1;
}

static _Noreturn void uncaught(duk_context *ctx)
{
	duk_dup(ctx, -1);
	const char *message = duk_safe_to_string(ctx, -1);
	// Where even the error does not fit, the engine throws its DoubleError.
	if (natives_heap()->failures && (strstr(message, "alloc failed") || strstr(message, "DoubleError")))
		natives_heap_full();
	duk_pop(ctx);
	duk_safe_call(ctx, describe, NULL, 1, 1);

	duk_size_t bytes;
	const char *text = duk_safe_to_lstring(ctx, -1, &bytes);
	for (duk_size_t at = 0; at < bytes; at++)
		if (text[at] == '\n')
			bytes = at;
	natives_error(text, bytes);
}

// Values that the deepest call while serving takes (over 900 were seen, with eleven device types): the engine would grow its
// value stack in the midst of a message otherwise, which is an allocation.
enum { SERVING_STACK = 1200 };

void engine_run(void)
{
	natives_start();
	duk_context *ctx = duk_create_heap(allocate, reallocate, release, natives_heap(), fatal);
	if (ctx == NULL)
		natives_heap_full();
	if (duk_safe_call(ctx, prepare, NULL, 0, 1) != DUK_EXEC_SUCCESS)
		uncaught(ctx);
	if (!duk_check_stack(ctx, SERVING_STACK))
		natives_heap_full();
	if (duk_pcall(ctx, 0) != DUK_EXEC_SUCCESS)
		uncaught(ctx);
	natives_exit(0);
}
