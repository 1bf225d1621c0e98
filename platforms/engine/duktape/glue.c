// Duktape's side of the door: one engine heap per side, the global `native`, and the run of a bundle.
//
// Natives are light functions: values without a heap object. None of them allocates in the engine except `memory`, which
// is for start-up, and `print` when it is given something that is not a string.
#include <string.h>

#include "descriptors.h"
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

// The buffers are made before the bundle runs and kept in the heap's stash, so the collector never frees one.
static duk_ret_t native_memory(duk_context *ctx)
{
	duk_push_heap_stash(ctx);
	duk_get_prop_index(ctx, -1, (duk_uarridx_t)duk_get_int(ctx, 0));
	return 1;
}

static duk_ret_t native_tables(duk_context *ctx)
{
	duk_push_heap_stash(ctx);
	duk_get_prop_index(ctx, -1, (duk_uarridx_t)machine_window_count);
	return 1;
}

static duk_ret_t native_print(duk_context *ctx)
{
	duk_size_t bytes;
	const char *text = duk_safe_to_lstring(ctx, 0, &bytes);

	natives_print(text, bytes);
	return 0;
}

// The others take whole numbers, `n`, and give one or nothing.
static uint32_t native_copy(const uint32_t *n)
{
	natives_copy(n[0], n[1], n[2], n[3], n[4]);
	return 0;
}

static uint32_t native_fill(const uint32_t *n)
{
	natives_fill(n[0], n[1], n[2], n[3]);
	return 0;
}

static uint32_t native_random(const uint32_t *n)
{
	return natives_random(n[0], n[1], n[2]);
}

static uint32_t native_seeded(const uint32_t *n)
{
	natives_seeded(n[0], n[1], n[2], n[3], n[4]);
	return 0;
}

static uint32_t native_clean(const uint32_t *n)
{
	natives_clean(n[0], n[1], n[2]);
	return 0;
}

static uint32_t native_invalidate(const uint32_t *n)
{
	natives_invalidate(n[0], n[1], n[2]);
	return 0;
}

static uint32_t native_split_descriptor(const uint32_t *n)
{
	return descriptors_split(n[0], n[1], n[2], n[3]);
}

static uint32_t native_packed_descriptor(const uint32_t *n)
{
	return descriptors_packed(n[0], n[1], n[2], n[3], n[4]);
}

static uint32_t native_barrier(const uint32_t *n)
{
	(void)n;
	machine_barrier();
	return 0;
}

static uint32_t native_idle(const uint32_t *n)
{
	return natives_idle(n[0]);
}

static uint32_t native_clock(const uint32_t *n)
{
	(void)n;
	return machine_clock();
}

static uint32_t native_log(const uint32_t *n)
{
	natives_log((int32_t)n[0], (int32_t)n[1]);
	return 0;
}

static uint32_t native_write(const uint32_t *n)
{
	natives_write(n[0], n[1], n[2]);
	return 0;
}

static uint32_t native_read(const uint32_t *n)
{
	return natives_read(n[0], n[1], n[2]);
}

static uint32_t native_exit(const uint32_t *n)
{
	natives_exit((int)n[0]);
}

static uint32_t native_register_read(const uint32_t *n)
{
	return natives_register_read(n[0], n[1]);
}

static uint32_t native_register_high(const uint32_t *n)
{
	(void)n;
	return natives_register_high();
}

static uint32_t native_register_write(const uint32_t *n)
{
	natives_register_write(n[0], n[1], n[2], n[3]);
	return 0;
}

const struct glue_native glue_natives[] = {
	{ "copy", native_copy, 5, false },
	{ "fill", native_fill, 4, false },
	{ "random", native_random, 3, true },
	{ "seeded", native_seeded, 5, false },
	{ "splitDescriptor", native_split_descriptor, 4, true },
	{ "packedDescriptor", native_packed_descriptor, 5, true },
	{ "barrier", native_barrier, 0, false },
	{ "clean", native_clean, 3, false },
	{ "invalidate", native_invalidate, 3, false },
	{ "idle", native_idle, 1, true },
	{ "clock", native_clock, 0, true },
	{ "log", native_log, 2, false },
	{ "write", native_write, 3, false },
	{ "read", native_read, 3, true },
	{ "exit", native_exit, 1, false },
	{ "registerRead", native_register_read, 2, true },
	{ "registerHigh", native_register_high, 0, true },
	{ "registerWrite", native_register_write, 4, false },
};

// A native for whole numbers called with something else, or by `apply`: what executor.h leaves to Duktape.
duk_ret_t glue_native(duk_context *ctx)
{
	const struct glue_native *native = &glue_natives[duk_get_current_magic(ctx)];
	uint32_t numbers[GLUE_NUMBERS], result;

	for (duk_idx_t at = 0; at < native->arguments; at++)
		numbers[at] = (uint32_t)duk_get_int(ctx, at);
	result = native->run(numbers);
	if (native->gives)
		duk_push_uint(ctx, result);
	return native->gives;
}

// In internals.c, which the build appends to duktape.c.
void glue_remove_unused(duk_context *ctx);
void glue_push_program(duk_context *ctx, const void *program);

// Keeps an ArrayBuffer over C's memory as entry `index` of the stash, which is on top of the stack.
static void keep_memory(duk_context *ctx, duk_uarridx_t index, void *memory, duk_size_t bytes)
{
	duk_push_external_buffer(ctx);
	duk_config_buffer(ctx, -1, memory, bytes);
	duk_push_buffer_object(ctx, -1, 0, bytes, DUK_BUFOBJ_ARRAYBUFFER);
	duk_put_prop_index(ctx, -3, index);
	duk_pop(ctx);
}

static duk_ret_t prepare(duk_context *ctx, void *udata)
{
	(void)udata;
#if !defined(GLUE_ROM)
	glue_remove_unused(ctx);
#endif
	duk_push_heap_stash(ctx);
	for (uint32_t window = 0; window < machine_window_count; window++)
		keep_memory(ctx, window, machine_windows[window].base, machine_windows[window].bytes);
	keep_memory(ctx, machine_window_count, descriptors_tables(), sizeof(struct tables));
	duk_push_bare_object(ctx);
	for (duk_int_t at = 0; at < (duk_int_t)(sizeof glue_natives / sizeof *glue_natives); at++) {
		duk_push_c_lightfunc(ctx, glue_native, glue_natives[at].arguments, glue_natives[at].arguments, at);
		duk_put_prop_string(ctx, -2, glue_natives[at].name);
	}
	duk_push_c_lightfunc(ctx, native_memory, 1, 1, 0);
	duk_put_prop_string(ctx, -2, "memory");
	duk_push_c_lightfunc(ctx, native_tables, 0, 0, 0);
	duk_put_prop_string(ctx, -2, "tables");
	duk_push_c_lightfunc(ctx, native_print, 1, 1, 0);
	duk_put_prop_string(ctx, -2, "print");
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
