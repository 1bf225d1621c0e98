// Duktape's settings for a coprocessor, read where duk_config.h invites overrides; see README.md in platforms/.

// Integers stay integers, and built-in functions are values instead of heap objects.
#undef DUK_USE_FASTINT
#define DUK_USE_FASTINT
#undef DUK_USE_LIGHTFUNC_BUILTINS
#define DUK_USE_LIGHTFUNC_BUILTINS

// The string table starts small and grows with the bundle; the cache of C string literals serves only the engine's own
// code at start-up. Together this lowers the heap at start by 4 KB.
#undef DUK_USE_STRTAB_MINSIZE
#define DUK_USE_STRTAB_MINSIZE 128
#undef DUK_USE_LITCACHE_SIZE

// Strings of at most 65535 bytes that are rarely asked for the array index they spell: a header of 20 bytes instead of 28.
// Only objects with many members, such as the scope of a bundle, have a hash index. No such number enters bytecode.
#undef DUK_USE_REFCOUNT32
#define DUK_USE_REFCOUNT16
#define DUK_USE_STRHASH16
#define DUK_USE_STRLEN16
#undef DUK_USE_HSTRING_ARRIDX
#undef DUK_USE_HOBJECT_HASH_PROP_LIMIT
#define DUK_USE_HOBJECT_HASH_PROP_LIMIT 32
// An object of fewer than 65,536 members: a header of 32 bytes instead of 40.
#define DUK_USE_OBJSIZES16

// A minified bundle is one line: names of files and numbers of lines say nothing, and cost every function three properties.
#undef DUK_USE_PC2LINE
#undef DUK_USE_FUNC_FILENAME_PROPERTY
#undef DUK_USE_TRACEBACKS

// A recursion that would run off the C stack becomes a RangeError.
#include <stdbool.h>
bool machine_stack_low(void);
#undef DUK_USE_NATIVE_STACK_CHECK
#define DUK_USE_NATIVE_STACK_CHECK() (machine_stack_low() ? 1 : 0)

// The glue supplies the allocator.
#undef DUK_USE_PROVIDE_DEFAULT_ALLOC_FUNCTIONS

// No calendar: Date exists and stands at its epoch. The glue has `clock`.
#undef DUK_USE_DATE_NOW_GETTIMEOFDAY
#undef DUK_USE_DATE_NOW_TIME
#undef DUK_USE_DATE_TZO_GMTIME_R
#undef DUK_USE_DATE_TZO_GMTIME_S
#undef DUK_USE_DATE_TZO_GMTIME
#undef DUK_USE_DATE_PRS_STRPTIME
#undef DUK_USE_DATE_FMT_STRFTIME
#undef DUK_USE_GET_MONOTONIC_TIME_CLOCK_GETTIME
#define DUK_USE_DATE_GET_NOW(ctx) 0.0
#define DUK_USE_DATE_GET_LOCAL_TZOFFSET(d) 0
// Math.random draws on the machine's generator, so that seeded runs repeat.
double glue_random(void);
#define DUK_USE_GET_RANDOM_DOUBLE(udata) glue_random()

// In an image of compiled bundles the built-in objects and the bundles' functions are constants in flash (freeze.c). The
// global object is a copy in RAM: the glue adds its natives to it.
#if defined(GLUE_ROM)
#define DUK_USE_ROM_STRINGS
#define DUK_USE_ROM_OBJECTS
#define DUK_USE_ROM_GLOBAL_CLONE
// The value stack has the size that the glue asks for, and not a quarter more.
#undef DUK_USE_VALSTACK_GROW_SHIFT
#endif

// Called at the start of every mark-and-sweep run, from the line that the build inserts into duktape.c.
void glue_collection(void *heap);

// A native that takes whole numbers below 2^31 and gives one or nothing; glue.c has the table, executor.h calls it at once.
#include <stdint.h>
enum { GLUE_NUMBERS = 5 };
struct glue_native {
	const char *name;
	uint32_t (*run)(const uint32_t *numbers);
	uint8_t arguments;
	bool gives;
};
extern const struct glue_native glue_natives[];
