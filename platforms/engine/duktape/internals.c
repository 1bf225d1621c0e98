// What the glue needs of Duktape's internals; the build appends it to duktape.c.
#include <stdbool.h>

// Built-in objects that no bundle may name (vmsg check-bundle refuses them): their members leave before the bundle comes,
// which gives back a quarter of the heap that Duktape takes at its start.
static const char *const unused[] = {
	"Date", "Proxy", "Reflect", "Buffer", "DataView", "TextEncoder", "TextDecoder", "Symbol", "CBOR", "performance", "globalThis",
};

// Removes every member of the object on top of the stack that can be removed, and its table with them.
static void remove_members(duk_context *ctx)
{
	duk_idx_t object = duk_get_top_index(ctx);

	duk_enum(ctx, object, DUK_ENUM_INCLUDE_NONENUMERABLE | DUK_ENUM_INCLUDE_SYMBOLS | DUK_ENUM_OWN_PROPERTIES_ONLY);
	while (duk_next(ctx, -1, 0)) {
		duk_dup(ctx, -1);
		duk_get_prop_desc(ctx, object, 0);
		bool configurable = duk_get_prop_string(ctx, -1, "configurable") && duk_to_boolean(ctx, -1);
		duk_pop_2(ctx);
		if (configurable)
			duk_del_prop(ctx, object);
		else
			duk_pop(ctx);
	}
	duk_pop(ctx);
	duk_compact(ctx, object);
}

void glue_remove_unused(duk_context *ctx)
{
	duk_push_global_object(ctx);
	for (size_t at = 0; at < sizeof unused / sizeof *unused; at++) {
		duk_get_prop_string(ctx, -1, unused[at]);
		if (duk_get_prop_string(ctx, -1, "prototype"))
			remove_members(ctx);
		duk_pop_2(ctx);
		duk_del_prop_string(ctx, -1, unused[at]);
	}
	duk_pop(ctx);
}

#if defined(GLUE_ROM)
// Pushes the outermost function of a bundle that the image holds as constants (freeze.c). It belongs to the global scope.
void glue_push_program(duk_context *thr, const void *program)
{
	duk_hobject *global = thr->builtins[DUK_BIDX_GLOBAL_ENV];

	duk_js_push_closure(thr, (duk_hcompfunc *)DUK_LOSE_CONST(program), global, global, 0);
}
#endif
