// Descriptors of the rings read natively: what firmware/memory/descriptors.hot.ts does, and the tables that both sides see.
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdint.h>

// As firmware/capacity.ts has them.
enum { DESCRIPTORS_WINDOWS = 16, DESCRIPTORS_ELEMENTS = 64 };

// In the order of tables.ts; what the fields hold is said in firmware/memory/tables.hot.ts and found.hot.ts.
struct tables {
	int32_t window_last[DESCRIPTORS_WINDOWS];
	int32_t element_offset[DESCRIPTORS_ELEMENTS + 1];
	int32_t element_bytes[DESCRIPTORS_ELEMENTS + 1];
	int32_t next_or_id, table_window, table_at, table_entries;
	int32_t windows, bus;
	uint16_t window_base[DESCRIPTORS_WINDOWS][4];
	uint8_t window_cached[DESCRIPTORS_WINDOWS];
	uint8_t window_barred[DESCRIPTORS_WINDOWS];
	uint8_t element_window[DESCRIPTORS_ELEMENTS + 1];
};

// The running side's tables.
struct tables *descriptors_tables(void);

uint32_t descriptors_split(uint32_t window, uint32_t base, uint32_t entry, uint32_t place);
uint32_t descriptors_packed(uint32_t window, uint32_t base, uint32_t entry, uint32_t place, uint32_t sign);

#endif
