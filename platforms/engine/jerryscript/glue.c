// JerryScript 3 as the images' engine, over its public API: places the natives, runs the bundle, counts what the heap does.
//
// The library's user built it; the linker leads its allocator and its collector through the functions `__wrap_...` below
// (tools/engines/jerryscript.ts names them), which is how "nothing allocates while serving" is measured here.
#include <string.h>

#include "descriptors.h"
#include "jerryscript.h"
#include "jerryscript-port.h"
#include "jerryscript-snapshot.h"
#include "natives.h"
#include "snapshot.h"

// What a library with references of 16 bits reaches: bytes of heap, and bytes of a window before an index allocates.
enum { SMALL_HEAP = 512 * 1024, SMALL_WINDOW = 128 * 1024 };

// A snapshot begins with these bytes, a bundle's text never does.
static const char snapshot_begin[] = { 'J', 'R', 'R', 'Y' };

// The strings of the snapshots that are linked into the image; an image of texts has none.
extern const struct snapshot_strings bundle_main_strings __attribute__((weak)), bundle_second_strings __attribute__((weak));
extern const char bundle_second[] __attribute__((weak));

static struct side {
	struct jerry_context_t *context;
	jerry_value_t memories; // the windows' ArrayBuffers by number
} sides[MACHINE_SIDES];

void *__real_jmem_heap_alloc_block(size_t bytes);
void *__real_jmem_heap_alloc_block_null_on_error(size_t bytes);
void *__real_jmem_heap_realloc_block(void *block, size_t had, size_t bytes);
void __real_jmem_heap_free_block(void *block, size_t bytes);
void *__real_jmem_pools_alloc(size_t bytes);
void __real_jmem_pools_free(void *chunk, size_t bytes);
void __real_ecma_free_unused_memory(int pressure);

static void count(size_t added, size_t removed)
{
	struct heap *heap = natives_heap();

	heap->live += (uint32_t)((added + 7) & ~(size_t)7) - (uint32_t)((removed + 7) & ~(size_t)7);
	if (heap->live > heap->peak)
		heap->peak = heap->live;
	heap->allocations += added != 0;
}

void *__wrap_jmem_heap_alloc_block(size_t bytes)
{
	count(bytes, 0);
	return __real_jmem_heap_alloc_block(bytes);
}

void *__wrap_jmem_heap_alloc_block_null_on_error(size_t bytes)
{
	void *block = __real_jmem_heap_alloc_block_null_on_error(bytes);

	if (block)
		count(bytes, 0);
	return block;
}

void *__wrap_jmem_heap_realloc_block(void *block, size_t had, size_t bytes)
{
	count(bytes, had);
	return __real_jmem_heap_realloc_block(block, had, bytes);
}

void __wrap_jmem_heap_free_block(void *block, size_t bytes)
{
	count(0, bytes);
	__real_jmem_heap_free_block(block, bytes);
}

void *__wrap_jmem_pools_alloc(size_t bytes)
{
	count(bytes, 0);
	return __real_jmem_pools_alloc(bytes);
}

void __wrap_jmem_pools_free(void *chunk, size_t bytes)
{
	count(0, bytes);
	__real_jmem_pools_free(chunk, bytes);
}

void __wrap_ecma_free_unused_memory(int pressure)
{
	natives_collection(natives_heap());
	__real_ecma_free_unused_memory(pressure);
}

void jerry_port_init(void)
{
}

_Noreturn void jerry_port_fatal(jerry_fatal_code_t code)
{
	if (code == JERRY_FATAL_OUT_OF_MEMORY)
		natives_heap_full();
	natives_fatal("the engine stopped");
}

void jerry_port_sleep(uint32_t milliseconds)
{
	(void)milliseconds;
}

// The context and its heap fill the side's heap area.
size_t jerry_port_context_alloc(size_t context_bytes)
{
	struct machine_area area = machine_heap();
	size_t most = context_bytes + SMALL_HEAP;

	if (area.bytes < context_bytes + 4096)
		natives_heap_full();
	memset(area.base, 0, context_bytes);
	sides[machine_side()].context = area.base;
	if (!jerry_feature_enabled(JERRY_FEATURE_CPOINTER_32_BIT) && area.bytes > most)
		return most;
	return area.bytes;
}

struct jerry_context_t *jerry_port_context_get(void)
{
	return sides[machine_side()].context;
}

void jerry_port_context_free(void)
{
}

void jerry_port_log(const char *message)
{
	natives_print(message, strlen(message));
}

void jerry_port_print_buffer(const jerry_char_t *text, jerry_size_t bytes)
{
	natives_print((const char *)text, bytes);
}

// No calendar: Date stands at its epoch, as with the other engine. The bundle has `clock`.
int32_t jerry_port_local_tza(double milliseconds)
{
	(void)milliseconds;
	return 0;
}

double jerry_port_current_time(void)
{
	return 0;
}

// There are no files: a bundle imports nothing, and the engine is told so.
jerry_char_t *jerry_port_path_normalize(const jerry_char_t *name, jerry_size_t bytes)
{
	(void)name;
	(void)bytes;
	return NULL;
}

void jerry_port_path_free(jerry_char_t *name)
{
	(void)name;
}

jerry_size_t jerry_port_path_base(const jerry_char_t *name)
{
	(void)name;
	return 0;
}

jerry_char_t *jerry_port_source_read(const char *name, jerry_size_t *bytes)
{
	(void)name;
	(void)bytes;
	return NULL;
}

void jerry_port_source_free(jerry_char_t *text)
{
	(void)text;
}

static int32_t whole(const jerry_value_t arguments[], jerry_length_t count_given, jerry_length_t index)
{
	return index < count_given ? jerry_value_as_int32(arguments[index]) : 0;
}

#define NATIVE(name) \
	static jerry_value_t native_##name(const jerry_call_info_t *call, const jerry_value_t given[], const jerry_length_t count_given)
#define SIGNED(index) whole(given, count_given, index)
#define NUMBER(index) ((uint32_t)whole(given, count_given, index))
#define UNUSED() ((void)call, (void)given, (void)count_given)

NATIVE(memory)
{
	UNUSED();
	return jerry_object_get_index(sides[machine_side()].memories, NUMBER(0));
}

NATIVE(tables)
{
	UNUSED();
	return jerry_object_get_index(sides[machine_side()].memories, machine_window_count);
}

NATIVE(split_descriptor)
{
	UNUSED();
	return jerry_number(descriptors_split(NUMBER(0), NUMBER(1), NUMBER(2), NUMBER(3)));
}

NATIVE(packed_descriptor)
{
	UNUSED();
	return jerry_number(descriptors_packed(NUMBER(0), NUMBER(1), NUMBER(2), NUMBER(3), NUMBER(4)));
}

NATIVE(copy)
{
	UNUSED();
	natives_copy(NUMBER(0), NUMBER(1), NUMBER(2), NUMBER(3), NUMBER(4));
	return jerry_undefined();
}

NATIVE(fill)
{
	UNUSED();
	natives_fill(NUMBER(0), NUMBER(1), NUMBER(2), NUMBER(3));
	return jerry_undefined();
}

NATIVE(random)
{
	UNUSED();
	return jerry_number(natives_random(NUMBER(0), NUMBER(1), NUMBER(2)));
}

NATIVE(seeded)
{
	UNUSED();
	natives_seeded(NUMBER(0), NUMBER(1), NUMBER(2), NUMBER(3), NUMBER(4));
	return jerry_undefined();
}

NATIVE(clean)
{
	UNUSED();
	natives_clean(NUMBER(0), NUMBER(1), NUMBER(2));
	return jerry_undefined();
}

NATIVE(invalidate)
{
	UNUSED();
	natives_invalidate(NUMBER(0), NUMBER(1), NUMBER(2));
	return jerry_undefined();
}

NATIVE(barrier)
{
	UNUSED();
	machine_barrier();
	return jerry_undefined();
}

NATIVE(idle)
{
	UNUSED();
	return jerry_number(natives_idle(NUMBER(0)));
}

NATIVE(clock)
{
	UNUSED();
	return jerry_number(machine_clock());
}

NATIVE(log)
{
	UNUSED();
	natives_log(SIGNED(0), SIGNED(1));
	return jerry_undefined();
}

NATIVE(write)
{
	UNUSED();
	natives_write(NUMBER(0), NUMBER(1), NUMBER(2));
	return jerry_undefined();
}

NATIVE(read)
{
	UNUSED();
	return jerry_number(natives_read(NUMBER(0), NUMBER(1), NUMBER(2)));
}

static void write_part(uint32_t byte, void *user)
{
	char text = (char)byte;

	(void)user;
	machine_write(&text, 1);
}

NATIVE(print)
{
	UNUSED();
	jerry_value_t text = count_given > 0 ? jerry_value_to_string(given[0]) : jerry_string_sz("undefined");

	if (jerry_value_is_exception(text))
		return text;
	jerry_string_iterate(text, JERRY_ENCODING_UTF8, write_part, NULL);
	machine_write("\n", 1);
	jerry_value_free(text);
	return jerry_undefined();
}

NATIVE(exit)
{
	UNUSED();
	natives_exit(SIGNED(0));
}

NATIVE(register_read)
{
	UNUSED();
	return jerry_number(natives_register_read(NUMBER(0), NUMBER(1)));
}

NATIVE(register_high)
{
	UNUSED();
	return jerry_number(natives_register_high());
}

NATIVE(register_write)
{
	UNUSED();
	natives_register_write(NUMBER(0), NUMBER(1), NUMBER(2), NUMBER(3));
	return jerry_undefined();
}

static const struct {
	const char *name;
	jerry_external_handler_t function;
} members[] = {
	{ "memory", native_memory },
	{ "tables", native_tables },
	{ "splitDescriptor", native_split_descriptor },
	{ "packedDescriptor", native_packed_descriptor },
	{ "copy", native_copy },
	{ "fill", native_fill },
	{ "random", native_random },
	{ "seeded", native_seeded },
	{ "barrier", native_barrier },
	{ "clean", native_clean },
	{ "invalidate", native_invalidate },
	{ "idle", native_idle },
	{ "clock", native_clock },
	{ "log", native_log },
	{ "write", native_write },
	{ "read", native_read },
	{ "print", native_print },
	{ "exit", native_exit },
	{ "registerRead", native_register_read },
	{ "registerHigh", native_register_high },
	{ "registerWrite", native_register_write },
};

static void set(jerry_value_t object, const char *name, jerry_value_t value)
{
	jerry_value_free(jerry_object_set_sz(object, name, value));
	jerry_value_free(value);
}

// What the library lacks cannot be mended here, so it is one sentence instead of an error of the bundle.
static void check_library(void)
{
	if (natives_heap()->allocations == 0)
		natives_fatal("the JerryScript library hides its allocator, so nothing is counted: build it with --lto=OFF --amalgam=OFF");
	if (!jerry_feature_enabled(JERRY_FEATURE_TYPEDARRAY))
		natives_fatal("the JerryScript library has no typed arrays: build it with JERRY_BUILTIN_TYPEDARRAY=1");
	// Such a library makes a string of every array index above 65535.
	for (uint32_t window = 0; window < machine_window_count; window++)
		if (machine_windows[window].bytes > SMALL_WINDOW && !jerry_feature_enabled(JERRY_FEATURE_CPOINTER_32_BIT))
			natives_fatal("the JerryScript library would allocate while serving: windows over 128 KiB want it built with --cpointer-32bit=ON");
}

static void place_natives(void)
{
	struct side *side = &sides[machine_side()];
	jerry_value_t global = jerry_current_realm();
	jerry_value_t native = jerry_object();

	side->memories = jerry_array(machine_window_count + 1);
	for (uint32_t window = 0; window < machine_window_count; window++) {
		jerry_value_t memory = jerry_arraybuffer_external(machine_windows[window].base, machine_windows[window].bytes, NULL);
		jerry_value_free(jerry_object_set_index(side->memories, window, memory));
		jerry_value_free(memory);
	}
	jerry_value_t tables = jerry_arraybuffer_external((uint8_t *)descriptors_tables(), sizeof(struct tables), NULL);
	jerry_value_free(jerry_object_set_index(side->memories, machine_window_count, tables));
	jerry_value_free(tables);
	for (size_t at = 0; at < sizeof members / sizeof *members; at++)
		set(native, members[at].name, jerry_function_external(members[at].function));
	set(global, "native", native);
	jerry_value_free(global);
}

// Ends the program with an exception's message as one line.
static _Noreturn void uncaught(jerry_value_t exception)
{
	struct machine_bundle bundle = machine_bundle();
	jerry_value_t value = jerry_exception_value(exception, false);
	jerry_value_t text = jerry_value_to_string(value);
	jerry_char_t line[200];
	jerry_size_t bytes = 0;

	if (!jerry_value_is_exception(text))
		bytes = jerry_string_to_buffer(text, JERRY_ENCODING_UTF8, line, sizeof line - 40);
	for (jerry_size_t at = 0; at < bytes; at++)
		if (line[at] == '\n')
			bytes = at;
	if (jerry_value_is_error(value)) {
		size_t name = strlen(bundle.name) > 30 ? 30 : strlen(bundle.name);
		memcpy(line + bytes, " (", 2);
		memcpy(line + bytes + 2, bundle.name, name);
		line[bytes + 2 + name] = ')';
		bytes += (jerry_size_t)name + 3;
	}
	natives_error((const char *)line, bytes);
}

static bool is_snapshot(struct machine_bundle bundle)
{
	return bundle.bytes >= sizeof snapshot_begin && memcmp(bundle.text, snapshot_begin, sizeof snapshot_begin) == 0;
}

// The snapshot says its own strings by number, so the engine knows them before it makes any; it keeps the two arrays by reference.
static const struct snapshot_strings *register_strings(struct machine_bundle bundle)
{
	const struct snapshot_strings *strings = bundle.text == bundle_second ? &bundle_second_strings : &bundle_main_strings;

	if (!strings)
		natives_fatal("a snapshot runs only where it is linked with its strings: here the bundle's text is wanted");
	jerry_register_magic_strings(strings->own, strings->own_count, strings->own_bytes);
	return strings;
}

// The engine does not notice when its strings have other numbers than the snapshot's, so the snapshot makes an array of some of them,
// with the bundle as a function behind. They are compared as values; nothing looks at the text of a wrong number.
static jerry_value_t bundle_of(jerry_value_t array, const struct snapshot_strings *strings)
{
	bool fits = !jerry_value_is_exception(array);

	for (uint32_t at = 0; fits && at < strings->probe_count; at++)
		fits = jerry_object_get_index(array, at) == jerry_string_sz(strings->probe[at]);
	if (!fits)
		natives_fatal("the snapshot does not fit the JerryScript library: make it with the jerry-snapshot of the same version, built with the same options");
	jerry_value_t program = jerry_object_get_index(array, strings->probe_count);
	jerry_value_free(array);
	return program;
}

// The bundle as a function: a static snapshot runs where it lies, text is compiled to byte code in the heap.
static jerry_value_t load(struct machine_bundle bundle, const struct snapshot_strings *strings)
{
	if (!strings) {
		if (!jerry_feature_enabled(JERRY_FEATURE_JS_PARSER))
			natives_fatal("the JerryScript library has no parser: link snapshots, or build it with --js-parser=ON");
		return jerry_parse((const jerry_char_t *)bundle.text, bundle.bytes, NULL);
	}
	if (!jerry_feature_enabled(JERRY_FEATURE_SNAPSHOT_EXEC))
		natives_fatal("the JerryScript library runs no snapshots: build it with --snapshot-exec=ON, or use vmsg build --source");
	return bundle_of(jerry_exec_snapshot((const uint32_t *)bundle.text, bundle.bytes, 0, JERRY_SNAPSHOT_EXEC_ALLOW_STATIC, NULL), strings);
}

void engine_run(void)
{
	struct machine_bundle bundle = machine_bundle();

	natives_start();
	jerry_init(JERRY_INIT_EMPTY);
	const struct snapshot_strings *strings = is_snapshot(bundle) ? register_strings(bundle) : NULL;
	// The memory of a typed array comes with the array, not with the first write to it, which may be while serving.
	jerry_arraybuffer_heap_allocation_limit(UINT32_MAX);
	check_library();
	place_natives();
	jerry_value_t program = load(bundle, strings);
	if (jerry_value_is_exception(program))
		uncaught(program);
	// What the compiler left behind goes before the bundle takes its memory.
	jerry_heap_gc(JERRY_GC_PRESSURE_HIGH);
	// A snapshot gives a function, text a script.
	jerry_value_t result = jerry_value_is_function(program) ? jerry_call(program, jerry_undefined(), NULL, 0) : jerry_run(program);
	if (jerry_value_is_exception(result))
		uncaught(result);
	natives_exit(0);
}
