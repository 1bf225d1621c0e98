// Loads a bundle that was compiled on the developer's machine; the build appends this file to duktape.c, whose
// internals it uses. Instructions stay where the image is and run from there; only constants and function objects
// take heap. The format is written by tools/engines/duktape-bytecode.ts, which describes it.

#define GLUE_NONE 0xffffffffUL
#define GLUE_STRING 0x80000000UL
#define GLUE_DOUBLE 0x40000000UL

static void glue__push_string(duk_hthread *thr, const duk_uint32_t *base, duk_uint32_t offset)
{
	const duk_uint32_t *string = base + offset / 4;

	duk_push_lstring(thr, (const char *) (string + 1), *string);
}

/* Pushes one function and returns the place behind it. The order of allocations is duk__load_func's: whatever a
 * collector run may find is reachable and complete.
 */
static const duk_uint32_t *glue__load(duk_hthread *thr, const duk_uint32_t *base, const duk_uint32_t *p, duk_bool_t constructors)
{
	duk_uint32_t instructions = p[0], constants = p[1], functions = p[2], n;
	const duk_uint32_t *code = p + 8;
	duk_idx_t idx_base = duk_get_top(thr);
	duk_size_t data_size = sizeof(duk_tval) * constants + sizeof(duk_hobject *) * functions;
	duk_uint32_t name = p[5], variables = p[6], formals = p[7];
	duk_hcompfunc *h_fun;
	duk_hbuffer *h_data;
	duk_uint8_t *q;
	duk_tval *tv;

	duk_require_stack(thr, (duk_idx_t) (4 + constants + functions));
	h_fun = duk_push_hcompfunc(thr);
	h_fun->nregs = (duk_uint16_t) (p[3] & 0xffff);
	h_fun->nargs = (duk_uint16_t) (p[3] >> 16);
	DUK_HEAPHDR_SET_FLAGS((duk_heaphdr *) h_fun, p[4]);
	if (!constructors) {
		DUK_HOBJECT_CLEAR_CONSTRUCTABLE((duk_hobject *) h_fun);
	}
	duk_push_fixed_buffer_nozero(thr, data_size);

	p = code + instructions;
	for (n = constants; n > 0; n--) {
		duk_uint32_t word = *p++;
		if (word & GLUE_STRING) {
			glue__push_string(thr, base, word & ~GLUE_STRING);
		} else if (word & GLUE_DOUBLE) {
			duk_tval number;
			duk_double_t value;
			duk_memcpy((void *) &value, (const void *) p, sizeof value);
			p += 2;
			DUK_TVAL_SET_NUMBER_CHKFAST_SLOW(&number, value);
			duk_push_tval(thr, &number);
		} else {
			duk_push_uint(thr, word);
		}
	}
	for (n = functions; n > 0; n--) {
		p = glue__load(thr, base, p, constructors);
	}

	h_data = duk_known_hbuffer(thr, idx_base + 1);
	DUK_HCOMPFUNC_SET_DATA(thr->heap, h_fun, h_data);
	DUK_HBUFFER_INCREF(thr, h_data);
	q = (duk_uint8_t *) DUK_HBUFFER_FIXED_GET_DATA_PTR(thr->heap, (duk_hbuffer_fixed *) h_data);
	tv = duk_get_tval(thr, idx_base + 2);
	for (n = constants; n > 0; n--) {
		DUK_TVAL_SET_TVAL((duk_tval *) (void *) q, tv);
		DUK_TVAL_INCREF_FAST(thr, tv);
		q += sizeof(duk_tval);
		tv++;
	}
	DUK_HCOMPFUNC_SET_FUNCS(thr->heap, h_fun, (duk_hobject **) (void *) q);
	for (n = functions; n > 0; n--) {
		duk_hobject *inner = DUK_TVAL_GET_OBJECT(tv);
		*((duk_hobject **) (void *) q) = inner;
		DUK_HOBJECT_INCREF(thr, inner);
		q += sizeof(duk_hobject *);
		tv++;
	}
	DUK_HCOMPFUNC_SET_BYTECODE(thr->heap, h_fun, (duk_instr_t *) (void *) code);
	duk_set_top(thr, idx_base + 1);

	if (DUK_HOBJECT_HAS_NAMEBINDING((duk_hobject *) h_fun) || constructors) {
		glue__push_string(thr, base, name);
		duk_xdef_prop_stridx_short(thr, -2, DUK_STRIDX_NAME, DUK_PROPDESC_FLAGS_C);
	}
	if (variables != 0) {
		duk_push_bare_object(thr);
		for (n = variables; n > 0; n--) {
			glue__push_string(thr, base, *p++);
			duk_push_uint(thr, *p++);
			duk_put_prop(thr, -3);
		}
		duk_compact_m1(thr);
		duk_xdef_prop_stridx_short(thr, -2, DUK_STRIDX_INT_VARMAP, DUK_PROPDESC_FLAGS_NONE);
	}
	if (formals != GLUE_NONE) {
		duk_push_bare_array(thr);
		for (n = 0; n < formals; n++) {
			glue__push_string(thr, base, *p++);
			duk_put_prop_index(thr, -2, n);
		}
		duk_compact_m1(thr);
		duk_xdef_prop_stridx_short(thr, -2, DUK_STRIDX_INT_FORMALS, DUK_PROPDESC_FLAGS_NONE);
	}
	return p;
}

void glue_load_function(duk_context *thr, const void *bundle)
{
	const duk_uint32_t *base = (const duk_uint32_t *) bundle;
	duk_hcompfunc *h_fun;
	duk_hobject *global;

	glue__load(thr, base, base + base[3] / 4, base[4] != 0);
	h_fun = (duk_hcompfunc *) duk_known_hobject(thr, -1);
	global = thr->builtins[DUK_BIDX_GLOBAL_ENV];
	DUK_HCOMPFUNC_SET_LEXENV(thr->heap, h_fun, global);
	DUK_HCOMPFUNC_SET_VARENV(thr->heap, h_fun, global);
	DUK_HOBJECT_INCREF(thr, global);
	DUK_HOBJECT_INCREF(thr, global);
}
