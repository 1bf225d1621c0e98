// Level 1 caches of a Cortex-R: emptied at start-up by set and way, maintained by address afterwards.
#include "cortex-r.h"

#define CCSIDR_READ() CP15_READ(1, c0, c0, 0)   // NumSets b27..13, Associativity b12..3, LineSize b2..0
#define CSSELR_WRITE(value) CP15_WRITE(2, c0, c0, 0, value)
#define ICIALLU() CP15_WRITE(0, c7, c5, 0, 0)
#define DCIMVAC(address) CP15_WRITE(0, c7, c6, 1, address)
#define DCISW(setWay) CP15_WRITE(0, c7, c6, 2, setWay)
#define DCCMVAC(address) CP15_WRITE(0, c7, c10, 1, address)

static void invalidate_data_cache(void)
{
	CSSELR_WRITE(0);
	synchronize();
	uint32_t geometry = CCSIDR_READ();
	uint32_t last_set = geometry >> 13 & 0x7fff, last_way = geometry >> 3 & 0x3ff, line = (geometry & 7) + 4;
	// The way's number stands in the top bits of DCISW; with one way there is none.
	uint32_t way_shift = last_way == 0 ? 0 : (uint32_t)__builtin_clz(last_way);

	for (uint32_t set = 0; set <= last_set; set++)
		for (uint32_t way = 0; way <= last_way; way++)
			DCISW(way << way_shift | set << line);
	__asm volatile("dsb" : : : "memory");
}

void cache_start(void)
{
	SCTLR_WRITE(SCTLR_READ() & ~(uint32_t)(SCTLR_C | SCTLR_I));
	synchronize();
	invalidate_data_cache();
	ICIALLU();
	synchronize();
	SCTLR_WRITE(SCTLR_READ() | SCTLR_C | SCTLR_I | SCTLR_Z);
	synchronize();
}

static uint32_t line_bytes(void)
{
	return 4u << (CTR_READ() >> 16 & 15);
}

void machine_clean(const void *from, uint32_t bytes)
{
	uint32_t line = line_bytes(), end = (uint32_t)from + bytes;

	for (uint32_t at = (uint32_t)from & ~(line - 1); at < end; at += line)
		DCCMVAC(at);
	__asm volatile("dsb" : : : "memory");
}

// A line that the range shares with other bytes holds nothing of ours that is not written back: the firmware cleans whatever
// it wrote to a cached window before it says so.
void machine_invalidate(const void *from, uint32_t bytes)
{
	uint32_t line = line_bytes(), end = (uint32_t)from + bytes;

	for (uint32_t at = (uint32_t)from & ~(line - 1); at < end; at += line)
		DCIMVAC(at);
	__asm volatile("dsb" : : : "memory");
}
