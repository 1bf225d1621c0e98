// The words in which freeze.c writes Duktape's objects: each is one object, string or value as Duktape 2.7 lays it out with
// the settings of overrides.h. A field that is missing or another layout is an error of the compiler.
#include "internal.h"
#include "natives-of-duktape.h"

#if !defined(DUK_USE_PACKED_TVAL) || !defined(DUK_USE_HOBJECT_LAYOUT_2)
#error the constants are written for values of 8 bytes and for layout 2 of members
#endif

// Values: tag, 16 bits, 32 bits; the last word may be an address.
#define ROM_WORDS(tag, high, low) { .ui = { [DUK_DBL_IDX_UI0] = (duk_uint32_t)(tag) << 16 | (high), [DUK_DBL_IDX_UI1] = (low) } }
#define ROM_POINTER(tag, high, target) \
	{ .vp = { [DUK_DBL_IDX_VP0] = (void *)((duk_uintptr_t)(tag) << 16 | (high)), [DUK_DBL_IDX_VP1] = (void *)(target) } }
#define ROM_ACCESSOR(getter, setter) { .a = { (duk_hobject *)(getter), (duk_hobject *)(setter) } }

#define ROM_FLAGS (DUK_HEAPHDR_FLAG_READONLY | DUK_HEAPHDR_FLAG_REACHABLE)

#define ROM_STRING_TYPE(name, bytes) struct name { duk_hstring s; duk_uint8_t data[(bytes) + 1]; }; static const struct name name
#define ROM_STRING(flags, hash, bytes, characters, next) \
	{ .hdr = { .h_flags = (duk_uint32_t)(hash) << 16 | (flags) | ROM_FLAGS, .h_refcount = 1, .h_strextra16 = (bytes), .h_next = (duk_hstring *)(next) }, \
	  .clen16 = (characters) }

#define ROM_MEMBERS_TYPE(name, entries, elements) \
	struct name { duk_propvalue values[entries]; const void *keys[entries]; duk_uint8_t flags[(entries) + DUK_HOBJECT_E_FLAG_PADDING(entries)]; \
		      duk_tval elements_[elements]; }; static const struct name name
#define ROM_OBJECT(flags, members, prototype_, entries, elements) \
	{ .hdr = { .h_flags = (flags) | ROM_FLAGS, .h_refcount = 1 }, .props = (duk_uint8_t *)(members), .prototype = (duk_hobject *)(prototype_), \
	  .e_size16 = (entries), .e_next16 = (entries), .a_size16 = (elements) }

#define ROM_CODE_TYPE(name, constants, functions) \
	struct name { duk_hbuffer_fixed b; duk_tval c[constants]; const void *f[functions]; }; \
	_Static_assert(offsetof(struct name, c) == sizeof(duk_hbuffer_fixed), "a function's constants follow the buffer's head"); static const struct name name
// The size tells where the inner functions end, so what pads the structure does not count.
#define ROM_BUFFER(name) \
	{ .u.s = { .hdr = { .h_flags = DUK_HTYPE_BUFFER | ROM_FLAGS, .h_refcount = 1 }, .size = sizeof(name.c) + sizeof(name.f) } }
#define ROM_CODE(code, instructions, registers, arguments) \
	.data = (duk_hbuffer *)&(code), .funcs = (duk_hobject **)(code).f, .bytecode = (duk_instr_t *)(instructions), .nregs = (registers), .nargs = (arguments)

// What the machine takes for the bundle is the address of its outermost function.
#define ROM_BUNDLE(symbol, program) \
	const void *const symbol = (program); \
	__asm__(".global " #symbol "_end\n.set " #symbol "_end, " #symbol " + 4")
