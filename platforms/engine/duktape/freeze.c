// Writes Duktape's built-in objects and the functions of bundles as constants in C, in the words of rom.h: what an image
// holds in flash instead of making it when it starts. Everything that is reachable gets a number; s7 is a string, o7 an
// object, p7 its members, d7 a function's constants and inner functions, i7 its instructions.

// The seed that Duktape takes for its hashes when strings are constants.
#define FROZEN_HASH_SEED 0xabcd1234

static struct {
	duk_heaphdr *all[1 << 15];
	size_t count;
	struct {
		const char *symbol;
		duk_heaphdr *program;
	} bundles[2];
	size_t bundle_count;
} frozen;

static void freeze_bundle(const char *symbol, void *program)
{
	if (frozen.bundle_count == sizeof frozen.bundles / sizeof *frozen.bundles) {
		fprintf(stderr, "an image has at most two bundles\n");
		exit(1);
	}
	frozen.bundles[frozen.bundle_count].symbol = symbol;
	frozen.bundles[frozen.bundle_count++].program = program;
}

static bool is_function(duk_heaphdr *h)
{
	return DUK_HEAPHDR_IS_OBJECT(h) && DUK_HOBJECT_IS_COMPFUNC((duk_hobject *)h);
}

// A function of a bundle keeps what a closure takes from it: names for those who look up by name, and its own when it has a use.
static bool is_kept(duk_heap *heap, duk_hobject *o, size_t at)
{
	duk_hstring *key = DUK_HOBJECT_E_GET_KEY(heap, o, at);

	if (key == NULL || !DUK_HOBJECT_IS_COMPFUNC(o))
		return key != NULL;
	if (key == DUK_HEAP_STRING_INT_VARMAP(heap))
		return DUK_HOBJECT_GET_ENEXT(DUK_TVAL_GET_OBJECT(DUK_HOBJECT_E_GET_VALUE_TVAL_PTR(heap, o, at))) != 0;
	return key == DUK_HEAP_STRING_INT_FORMALS(heap) ||
	       (key == DUK_HEAP_STRING_NAME(heap) && (DUK_HOBJECT_HAS_NAMEBINDING(o) || DUK_HOBJECT_HAS_CONSTRUCTABLE(o)));
}

static size_t kept(duk_heap *heap, duk_hobject *o)
{
	size_t count = 0;

	for (size_t at = 0; at < DUK_HOBJECT_GET_ENEXT(o); at++)
		count += is_kept(heap, o, at);
	return count;
}

static size_t number_of(duk_heaphdr *h)
{
	for (size_t at = 0; at < frozen.count; at++)
		if (frozen.all[at] == h)
			return at;
	return frozen.count;
}

static void visit(duk_heap *heap, duk_heaphdr *h);

static void visit_value(duk_heap *heap, duk_tval *value)
{
	if (DUK_TVAL_IS_HEAP_ALLOCATED(value))
		visit(heap, DUK_TVAL_GET_HEAPHDR(value));
}

static void visit(duk_heap *heap, duk_heaphdr *h)
{
	if (h == NULL || number_of(h) < frozen.count)
		return;
	if (frozen.count == sizeof frozen.all / sizeof *frozen.all || DUK_HEAPHDR_IS_BUFFER(h)) {
		fprintf(stderr, "the bundle holds what cannot be a constant\n");
		exit(1);
	}
	frozen.all[frozen.count++] = h;
	if (DUK_HEAPHDR_IS_STRING(h))
		return;

	duk_hobject *o = (duk_hobject *)h;
	visit(heap, (duk_heaphdr *)DUK_HOBJECT_GET_PROTOTYPE(heap, o));
	for (size_t at = 0; at < DUK_HOBJECT_GET_ENEXT(o); at++) {
		if (!is_kept(heap, o, at))
			continue;
		visit(heap, (duk_heaphdr *)DUK_HOBJECT_E_GET_KEY(heap, o, at));
		if (DUK_HOBJECT_E_SLOT_IS_ACCESSOR(heap, o, at)) {
			visit(heap, (duk_heaphdr *)DUK_HOBJECT_E_GET_VALUE_GETTER(heap, o, at));
			visit(heap, (duk_heaphdr *)DUK_HOBJECT_E_GET_VALUE_SETTER(heap, o, at));
		} else {
			visit_value(heap, DUK_HOBJECT_E_GET_VALUE_TVAL_PTR(heap, o, at));
		}
	}
	for (size_t at = 0; at < DUK_HOBJECT_GET_ASIZE(o); at++)
		visit_value(heap, DUK_HOBJECT_A_GET_VALUE_PTR(heap, o, at));
	if (DUK_HOBJECT_IS_OBJENV(o))
		visit(heap, (duk_heaphdr *)((duk_hobjenv *)o)->target);
	if (is_function(h)) {
		duk_hcompfunc *f = (duk_hcompfunc *)o;
		for (duk_tval *c = DUK_HCOMPFUNC_GET_CONSTS_BASE(heap, f); c < DUK_HCOMPFUNC_GET_CONSTS_END(heap, f); c++)
			visit_value(heap, c);
		for (duk_hobject **inner = DUK_HCOMPFUNC_GET_FUNCS_BASE(heap, f); inner < DUK_HCOMPFUNC_GET_FUNCS_END(heap, f); inner++)
			visit(heap, (duk_heaphdr *)*inner);
	}
}

static void put_pointer(duk_heaphdr *h)
{
	if (h == NULL)
		printf("0");
	else
		printf("&%c%zu", DUK_HEAPHDR_IS_STRING(h) ? 's' : 'o', number_of(h));
}

static size_t native_of(duk_c_function function)
{
	for (size_t at = 1; at < sizeof duk_bi_native_functions / sizeof *duk_bi_native_functions; at++)
		if (duk_bi_native_functions[at] == function)
			return at;
	fprintf(stderr, "a built-in function is none of Duktape's\n");
	exit(1);
}

static void put_value(duk_tval *value)
{
	if (DUK_TVAL_IS_UNUSED(value)) {
		printf("ROM_WORDS(DUK_TAG_UNUSED, 0, 0)");
	} else if (DUK_TVAL_IS_UNDEFINED(value)) {
		printf("ROM_WORDS(DUK_TAG_UNDEFINED, 0, 0)");
	} else if (DUK_TVAL_IS_NULL(value)) {
		printf("ROM_WORDS(DUK_TAG_NULL, 0, 0)");
	} else if (DUK_TVAL_IS_BOOLEAN(value)) {
		printf("ROM_WORDS(DUK_TAG_BOOLEAN, %u, 0)", (unsigned)DUK_TVAL_GET_BOOLEAN(value));
	} else if (DUK_TVAL_IS_LIGHTFUNC(value)) {
		duk_c_function function;
		duk_small_uint_t flags;
		DUK_TVAL_GET_LIGHTFUNC(value, function, flags);
		printf("ROM_POINTER(DUK_TAG_LIGHTFUNC, %u, ROM_NATIVE_%zu)", (unsigned)flags, native_of(function));
	} else if (DUK_TVAL_IS_FASTINT(value)) {
		uint64_t number = (uint64_t)DUK_TVAL_GET_FASTINT(value);
		printf("ROM_WORDS(DUK_TAG_FASTINT, 0x%x, 0x%08x)", (unsigned)(number >> 32 & 0xffff), (unsigned)number);
	} else if (DUK_TVAL_IS_DOUBLE(value)) {
		double number = DUK_TVAL_GET_DOUBLE(value);
		uint64_t bits;
		memcpy(&bits, &number, sizeof bits);
		printf("ROM_WORDS(0x%04x, 0x%x, 0x%08x)", (unsigned)(bits >> 48), (unsigned)(bits >> 32 & 0xffff), (unsigned)bits);
	} else {
		printf("ROM_POINTER(DUK_TAG_%s, 0, ", DUK_TVAL_IS_STRING(value) ? "STRING" : "OBJECT");
		put_pointer(DUK_TVAL_GET_HEAPHDR(value));
		printf(")");
	}
}

// The flags of its own that an object keeps.
static unsigned flags_of(duk_heaphdr *h)
{
	unsigned mask = (1u << DUK_HEAPHDR_FLAGS_USER_START) - 1;

	return (h->h_flags & ~mask) | DUK_HEAPHDR_GET_TYPE(h);
}

static size_t lookup_place(duk_hstring *s)
{
	size_t bytes = DUK_HSTRING_GET_BYTELEN(s);

	return ((bytes << 4) + (bytes > 0 ? DUK_HSTRING_GET_DATA(s)[0] : 0)) & 0xff;
}

// `next` is the string before it at the same place of the table that Duktape looks strings up in.
static void put_string(duk_heap *heap, size_t number, duk_hstring *s, duk_hstring *next)
{
	size_t bytes = DUK_HSTRING_GET_BYTELEN(s);
	const duk_uint8_t *data = DUK_HSTRING_GET_DATA(s);
	unsigned hash = duk_heap_hashstring(heap, data, bytes) & 0xffff;
	// Asking for it may set a flag.
	unsigned characters = duk_hstring_get_charlen(s);

	printf("static const struct s%zu s%zu = { ROM_STRING(0x%x, 0x%x, %zu, %u, ", number, number, flags_of((duk_heaphdr *)s) & 0xffff, hash, bytes, characters);
	put_pointer((duk_heaphdr *)next);
	printf("), \"");
	for (size_t at = 0; at < bytes; at++)
		printf("\\%03o", data[at]);
	printf("\" };\n");
}

static void put_members(duk_heap *heap, size_t number, duk_hobject *o)
{
	printf("static const struct p%zu p%zu = { {", number, number);
	for (size_t at = 0; at < DUK_HOBJECT_GET_ENEXT(o); at++) {
		if (!is_kept(heap, o, at))
			continue;
		if (DUK_HOBJECT_E_SLOT_IS_ACCESSOR(heap, o, at)) {
			printf(" ROM_ACCESSOR(");
			put_pointer((duk_heaphdr *)DUK_HOBJECT_E_GET_VALUE_GETTER(heap, o, at));
			printf(", ");
			put_pointer((duk_heaphdr *)DUK_HOBJECT_E_GET_VALUE_SETTER(heap, o, at));
			printf("),");
		} else {
			printf(" { .v = ");
			put_value(DUK_HOBJECT_E_GET_VALUE_TVAL_PTR(heap, o, at));
			printf(" },");
		}
	}
	printf(" }, {");
	for (size_t at = 0; at < DUK_HOBJECT_GET_ENEXT(o); at++) {
		if (is_kept(heap, o, at)) {
			printf(" ");
			put_pointer((duk_heaphdr *)DUK_HOBJECT_E_GET_KEY(heap, o, at));
			printf(",");
		}
	}
	printf(" }, {");
	for (size_t at = 0; at < DUK_HOBJECT_GET_ENEXT(o); at++)
		if (is_kept(heap, o, at))
			printf(" %u,", (unsigned)DUK_HOBJECT_E_GET_FLAGS(heap, o, at));
	printf(" }, {");
	for (size_t at = 0; at < DUK_HOBJECT_GET_ASIZE(o); at++) {
		printf(" ");
		put_value(DUK_HOBJECT_A_GET_VALUE_PTR(heap, o, at));
		printf(",");
	}
	printf(" } };\n");
}

static void put_code(duk_heap *heap, size_t number, duk_hcompfunc *f)
{
	printf("static const struct d%zu d%zu = { ROM_BUFFER(d%zu), {", number, number, number);
	for (duk_tval *c = DUK_HCOMPFUNC_GET_CONSTS_BASE(heap, f); c < DUK_HCOMPFUNC_GET_CONSTS_END(heap, f); c++) {
		printf(" ");
		put_value(c);
		printf(",");
	}
	printf(" }, {");
	for (duk_hobject **inner = DUK_HCOMPFUNC_GET_FUNCS_BASE(heap, f); inner < DUK_HCOMPFUNC_GET_FUNCS_END(heap, f); inner++) {
		printf(" ");
		put_pointer((duk_heaphdr *)*inner);
		printf(",");
	}
	printf(" } };\nstatic const duk_instr_t i%zu[] = {", number);
	for (duk_instr_t *i = DUK_HCOMPFUNC_GET_CODE_BASE(heap, f); i < DUK_HCOMPFUNC_GET_CODE_END(heap, f); i++)
		printf(" 0x%08x,", (unsigned)*i);
	printf(" };\n");
}

static const char *type_of(duk_hobject *o)
{
	return DUK_HOBJECT_IS_COMPFUNC(o) ? "duk_hcompfunc" : DUK_HOBJECT_IS_NATFUNC(o) ? "duk_hnatfunc" : DUK_HOBJECT_IS_ARRAY(o) ? "duk_harray" :
	       DUK_HOBJECT_IS_OBJENV(o) ? "duk_hobjenv" : "duk_hobject";
}

static bool has_members(duk_heap *heap, duk_hobject *o)
{
	return kept(heap, o) + DUK_HOBJECT_GET_ASIZE(o) != 0;
}

static void put_object(duk_heap *heap, size_t number, duk_hobject *o)
{
	bool plain = strcmp(type_of(o), "duk_hobject") == 0;
	unsigned flags = flags_of((duk_heaphdr *)o);

	if (has_members(heap, o))
		put_members(heap, number, o);
	if (DUK_HOBJECT_IS_COMPFUNC(o))
		put_code(heap, number, (duk_hcompfunc *)o);
	else
		flags &= ~DUK_HOBJECT_FLAG_EXTENSIBLE;
	printf("static const %s o%zu = %sROM_OBJECT(0x%x, ", type_of(o), number, plain ? "" : "{ .obj = ", flags);
	printf(has_members(heap, o) ? "&p%zu, " : "0, ", number);
	put_pointer((duk_heaphdr *)DUK_HOBJECT_GET_PROTOTYPE(heap, o));
	printf(", %zu, %u)", kept(heap, o), (unsigned)DUK_HOBJECT_GET_ASIZE(o));
	if (DUK_HOBJECT_IS_COMPFUNC(o))
		printf(", ROM_CODE(d%zu, i%zu, %u, %u)", number, number, (unsigned)((duk_hcompfunc *)o)->nregs, (unsigned)((duk_hcompfunc *)o)->nargs);
	else if (DUK_HOBJECT_IS_NATFUNC(o))
		printf(", .func = ROM_NATIVE_%zu, .nargs = %d, .magic = %d", native_of(((duk_hnatfunc *)o)->func), ((duk_hnatfunc *)o)->nargs,
		       ((duk_hnatfunc *)o)->magic);
	else if (DUK_HOBJECT_IS_ARRAY(o))
		printf(", .length = %u", (unsigned)((duk_harray *)o)->length);
	else if (DUK_HOBJECT_IS_OBJENV(o)) {
		printf(", .target = (duk_hobject *) ");
		put_pointer((duk_heaphdr *)((duk_hobjenv *)o)->target);
	}
	printf("%s;\n", plain ? "" : " }");
}

static void declare(duk_heap *heap, size_t number, duk_heaphdr *h)
{
	if (DUK_HEAPHDR_IS_STRING(h)) {
		printf("ROM_STRING_TYPE(s%zu, %u);\n", number, (unsigned)DUK_HSTRING_GET_BYTELEN((duk_hstring *)h));
		return;
	}
	duk_hobject *o = (duk_hobject *)h;
	if (has_members(heap, o))
		printf("ROM_MEMBERS_TYPE(p%zu, %zu, %u);\n", number, kept(heap, o), (unsigned)DUK_HOBJECT_GET_ASIZE(o));
	if (is_function(h)) {
		duk_hcompfunc *f = (duk_hcompfunc *)o;
		printf("ROM_CODE_TYPE(d%zu, %u, %u);\n", number, (unsigned)DUK_HCOMPFUNC_GET_CONSTS_COUNT(heap, f), (unsigned)DUK_HCOMPFUNC_GET_FUNCS_COUNT(heap, f));
	}
	printf("static const %s o%zu;\n", type_of(o), number);
}

static void freeze_all(duk_hthread *thr)
{
	duk_heap *heap = thr->heap;
	duk_hstring *places[256] = { NULL };

	heap->hash_seed = FROZEN_HASH_SEED;
	for (size_t at = 0; at < DUK_HEAP_NUM_STRINGS; at++)
		visit(heap, (duk_heaphdr *)DUK_HEAP_GET_STRING(heap, at));
	for (size_t at = 0; at < DUK_NUM_BUILTINS; at++)
		visit(heap, (duk_heaphdr *)thr->builtins[at]);
	for (size_t at = 0; at < frozen.bundle_count; at++)
		visit(heap, frozen.bundles[at].program);

	printf("#include \"rom.h\"\n");
	for (size_t at = 0; at < frozen.count; at++)
		declare(heap, at, frozen.all[at]);
	for (size_t at = 0; at < frozen.count; at++) {
		if (DUK_HEAPHDR_IS_STRING(frozen.all[at])) {
			duk_hstring *s = (duk_hstring *)frozen.all[at];
			put_string(heap, at, s, places[lookup_place(s)]);
			places[lookup_place(s)] = s;
		} else {
			put_object(heap, at, (duk_hobject *)frozen.all[at]);
		}
	}
	printf("const duk_hstring *const duk_rom_strings_lookup[256] = {");
	for (size_t at = 0; at < 256; at++) {
		printf(" (const duk_hstring *) ");
		put_pointer((duk_heaphdr *)places[at]);
		printf(",");
	}
	printf(" };\nconst duk_hstring *const duk_rom_strings_stridx[] = {");
	for (size_t at = 0; at < DUK_HEAP_NUM_STRINGS; at++) {
		printf(" (const duk_hstring *) ");
		put_pointer((duk_heaphdr *)DUK_HEAP_GET_STRING(heap, at));
		printf(",");
	}
	printf(" };\nconst duk_hobject *const duk_rom_builtins_bidx[] = {");
	for (size_t at = 0; at < DUK_NUM_BUILTINS; at++) {
		printf(" (const duk_hobject *) ");
		put_pointer((duk_heaphdr *)thr->builtins[at]);
		printf(",");
	}
	printf(" };\n");
	for (size_t at = 0; at < frozen.bundle_count; at++) {
		printf("ROM_BUNDLE(%s, ", frozen.bundles[at].symbol);
		put_pointer(frozen.bundles[at].program);
		printf(");\n");
	}
}
