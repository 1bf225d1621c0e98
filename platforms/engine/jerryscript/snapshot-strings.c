// The strings of one bundle's static snapshot as constants, from the lines OWN(bytes, text) and PROBE(text) of SNAPSHOT_STRINGS.
#include "snapshot.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define COUNT(array) (sizeof(array) / sizeof *(array))

#define PROBE(text)
#define OWN(bytes, text) (const jerry_char_t *)text,
static const jerry_char_t *const own[] = {
#include SNAPSHOT_STRINGS
};
#undef OWN
#define OWN(bytes, text) bytes,
static const jerry_length_t own_bytes[] = {
#include SNAPSHOT_STRINGS
};
#undef OWN
#undef PROBE
#define OWN(bytes, text)
#define PROBE(text) text,
static const char *const probe[] = {
#include SNAPSHOT_STRINGS
};

extern const struct snapshot_strings JOIN(BUNDLE_SYMBOL, _strings);
const struct snapshot_strings JOIN(BUNDLE_SYMBOL, _strings) = { own, own_bytes, COUNT(own), probe, COUNT(probe) };
