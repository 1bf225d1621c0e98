// What the executor does at once, without asking Duktape's general code: whole numbers, conditions, elements of typed arrays.
// duktape.c includes this; every result is the one that Duktape's own code gives, to which all other cases are left.

// Whole numbers from 0 to 2^32 - 1, where a value is one double with room for 48 bits in it: the upper word is the same for all.
#if defined(DUK_USE_PACKED_TVAL)
#define GLUE_SMALL_HIGH ((duk_uint32_t) DUK_TAG_FASTINT << 16)
#define GLUE_LOW(tv) ((tv)->ui[DUK_DBL_IDX_UI1])
#define GLUE_HIGH(tv) ((tv)->ui[DUK_DBL_IDX_UI0])
#define GLUE_IS_SMALL(tv) (GLUE_HIGH(tv) == GLUE_SMALL_HIGH)

/** z = x + y, x - y or x * y. False when Duktape must do it. `operation`: an instruction of Duktape's without its lowest two bits. */
static DUK_ALWAYS_INLINE duk_bool_t glue_arithmetic(duk_tval *z, duk_tval *x, duk_tval *y, duk_small_uint_fast_t operation) {
	duk_uint32_t low, high;
	duk_uint64_t product;

	if (!GLUE_IS_SMALL(x) || !GLUE_IS_SMALL(y) || DUK_TVAL_NEEDS_REFCOUNT_UPDATE(z)) {
		return 0;
	}
	switch (operation) {
	case DUK_OP_ADD >> 2:
		low = GLUE_LOW(x) + GLUE_LOW(y);
		high = low < GLUE_LOW(x) ? GLUE_SMALL_HIGH + 1 : GLUE_SMALL_HIGH;
		break;
	case DUK_OP_SUB >> 2:
		low = GLUE_LOW(x) - GLUE_LOW(y);
		high = GLUE_LOW(x) < GLUE_LOW(y) ? GLUE_SMALL_HIGH | 0xffff : GLUE_SMALL_HIGH;
		break;
	case DUK_OP_MUL >> 2:
		product = (duk_uint64_t) GLUE_LOW(x) * GLUE_LOW(y);
		low = (duk_uint32_t) product;
		high = GLUE_SMALL_HIGH | (duk_uint32_t) (product >> 32);
		if ((product >> 47) != 0) {
			return 0;
		}
		break;
	default:
		return 0;
	}
	GLUE_LOW(z) = low;
	GLUE_HIGH(z) = high;
	return 1;
}
#else
#define GLUE_LOW(tv) DUK_TVAL_GET_FASTINT_U32(tv)
#define GLUE_IS_SMALL(tv) (DUK_TVAL_IS_FASTINT(tv) && (DUK_TVAL_GET_FASTINT(tv) >> 32) == 0)
#define glue_arithmetic(z, x, y, operation) 0
#endif

#define GLUE_ARE_SMALL(x, y) (GLUE_IS_SMALL(x) && GLUE_IS_SMALL(y))
#define GLUE_COMPARE(thr, x, y, flags) \
	(GLUE_ARE_SMALL((x), (y)) ? (duk_bool_t) ((GLUE_LOW(x) < GLUE_LOW(y)) ^ ((flags) & DUK_COMPARE_FLAG_NEGATE)) : \
	                            duk_js_compare_helper((thr), (x), (y), (flags)))
#define GLUE_STRICT_EQUALS(x, y) (GLUE_ARE_SMALL((x), (y)) ? (duk_bool_t) (GLUE_LOW(x) == GLUE_LOW(y)) : duk_js_strict_equals((x), (y)))
#define GLUE_IS_TRUE(tv) \
	(DUK_TVAL_IS_BOOLEAN((tv)) ? (duk_bool_t) DUK_TVAL_GET_BOOLEAN((tv)) : \
	 GLUE_IS_SMALL((tv))       ? (duk_bool_t) (GLUE_LOW(tv) != 0) : \
	                             duk_js_toboolean((tv)))

// Words of memory that another core writes to: one access each, where Duktape's own code copies bytes.
typedef volatile duk_uint16_t __attribute__((__may_alias__)) glue_u16;
typedef volatile duk_uint32_t __attribute__((__may_alias__)) glue_u32;

/** Where the element `key` of the typed array `object` is; NULL when there is none. */
static DUK_ALWAYS_INLINE duk_uint8_t *glue_element(duk_hthread *thr, duk_tval *object, duk_tval *key) {
	duk_hbufobj *array;
	duk_uint32_t at;

	if (!DUK_TVAL_IS_OBJECT(object) || !GLUE_IS_SMALL(key)) {
		return NULL;
	}
	array = (duk_hbufobj *) DUK_TVAL_GET_OBJECT(object);
	if (!DUK_HOBJECT_IS_BUFOBJ(&array->obj) || !DUK_HBUFOBJ_HAS_VIRTUAL_INDICES(array) || array->buf == NULL ||
	    GLUE_LOW(key) >= (array->length >> array->shift)) {
		return NULL;
	}
	at = GLUE_LOW(key) << array->shift;
	// A buffer may have become shorter than its array.
	if (!DUK_HBUFOBJ_VALID_BYTEOFFSET_EXCL(array, at + (1U << array->shift))) {
		return NULL;
	}
	return (duk_uint8_t *) DUK_HBUFFER_GET_DATA_PTR(thr->heap, array->buf) + array->offset + at;
}

#define GLUE_ELEMENT_TYPE(object) (((duk_hbufobj *) DUK_TVAL_GET_OBJECT((object)))->elem_type)

/** Reads an element into `to`, which may be the array's own register. False when Duktape must do it. */
DUK_LOCAL DUK_NOINLINE duk_bool_t glue_read_element(duk_hthread *thr, duk_tval *to, duk_tval *object, duk_tval *key) {
	duk_uint8_t *data = glue_element(thr, object, key);
	duk_int32_t value;

	if (data == NULL) {
		return 0;
	}
	switch (GLUE_ELEMENT_TYPE(object)) {
	case DUK_HBUFOBJ_ELEM_UINT8:
	case DUK_HBUFOBJ_ELEM_UINT8CLAMPED:
		value = *data;
		break;
	case DUK_HBUFOBJ_ELEM_INT8:
		value = (duk_int8_t) *data;
		break;
	case DUK_HBUFOBJ_ELEM_UINT16:
		value = *(glue_u16 *) (void *) data;
		break;
	case DUK_HBUFOBJ_ELEM_INT16:
		value = (duk_int16_t) *(glue_u16 *) (void *) data;
		break;
	case DUK_HBUFOBJ_ELEM_INT32:
		value = (duk_int32_t) *(glue_u32 *) (void *) data;
		break;
	default:
		return 0;
	}
	if (DUK_TVAL_NEEDS_REFCOUNT_UPDATE(to)) {
		DUK_TVAL_SET_I32_UPDREF(thr, to, value);
	} else {
		DUK_TVAL_SET_I32(to, value);
	}
	return 1;
}

/** Writes the whole number `value` to an element. False when Duktape must do it. */
DUK_LOCAL DUK_NOINLINE duk_bool_t glue_write_element(duk_hthread *thr, duk_tval *object, duk_tval *key, duk_tval *value) {
	duk_uint8_t *data;
	duk_uint32_t word;

	if (!DUK_TVAL_IS_FASTINT(value)) {
		return 0;
	}
	data = glue_element(thr, object, key);
	if (data == NULL) {
		return 0;
	}
	// Modulo a power of two: the lower bits of 48.
	word = DUK_TVAL_GET_FASTINT_U32(value);
	switch (GLUE_ELEMENT_TYPE(object)) {
	case DUK_HBUFOBJ_ELEM_UINT8:
	case DUK_HBUFOBJ_ELEM_INT8:
		*data = (duk_uint8_t) word;
		break;
	case DUK_HBUFOBJ_ELEM_UINT16:
	case DUK_HBUFOBJ_ELEM_INT16:
		*(glue_u16 *) (void *) data = (duk_uint16_t) word;
		break;
	case DUK_HBUFOBJ_ELEM_UINT32:
	case DUK_HBUFOBJ_ELEM_INT32:
		*(glue_u32 *) (void *) data = word;
		break;
	default:
		return 0;
	}
	return 1;
}

// In glue.c: the C function of every native for whole numbers; its magic says which one.
duk_ret_t glue_native(duk_context *ctx);

/** Calls what is in register `callee`, its `count` arguments behind it and `this`, which is an object with `new`. False when Duktape must do it. */
DUK_LOCAL DUK_NOINLINE duk_bool_t glue_call(duk_tval *callee, duk_idx_t count) {
	const struct glue_native *native;
	duk_uint32_t numbers[GLUE_NUMBERS], result;
	duk_idx_t at;

	if (!DUK_TVAL_IS_LIGHTFUNC(callee) || DUK_TVAL_GET_LIGHTFUNC_FUNCPTR(callee) != glue_native ||
	    DUK_TVAL_NEEDS_REFCOUNT_UPDATE(callee + 1)) {
		return 0;
	}
	native = &glue_natives[DUK_LFUNC_FLAGS_GET_MAGIC(DUK_TVAL_GET_LIGHTFUNC_FLAGS(callee))];
	if (count != native->arguments) {
		return 0;
	}
	for (at = 0; at < count; at++) {
		if (!GLUE_IS_SMALL(callee + 2 + at) || GLUE_LOW(callee + 2 + at) > 0x7fffffffUL) {
			return 0;
		}
		numbers[at] = GLUE_LOW(callee + 2 + at);
	}
	result = native->run(numbers);
	if (native->gives) {
		DUK_TVAL_SET_U32(callee, result);
	} else {
		DUK_TVAL_SET_UNDEFINED(callee);
	}
	return 1;
}
