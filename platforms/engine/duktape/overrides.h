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

// Called at the start of every mark-and-sweep run, from the line that the build inserts into duktape.c.
void glue_collection(void *heap);
