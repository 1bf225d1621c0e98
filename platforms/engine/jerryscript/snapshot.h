// The strings that belong to a static snapshot, as the build writes them (tools/engines/jerryscript.ts).
#pragma once

#include "jerryscript.h"

struct snapshot_strings {
	// Not built into the engine; the snapshot says them by their place here, behind those that are.
	const jerry_char_t *const *own;
	const jerry_length_t *own_bytes;
	uint32_t own_count;
	// Those at the head of the array that the snapshot makes, where the engine that fits has the same.
	const char *const *probe;
	uint32_t probe_count;
};
