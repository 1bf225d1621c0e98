// Memory protection of ARMv7-R (Cortex-R4, R5, R7, R8): regions are powers of two at their own alignment; a later one wins.
//
// Register  CP15          bits
// MPUIR     0 c0 c0 4     DREGION 15..8: regions there are
// DRBAR     0 c6 c1 0     base
// DRSR      0 c6 c1 2     size 5..1 (bytes = 2^(size + 1)), enable 0
// DRACR     0 c6 c1 4     XN 12, AP 10..8, TEX 5..3, S 2, C 1, B 0
// RGNR      0 c6 c2 0     the region that the three above are of
#include "board.h"
#include "cortex-r.h"

enum {
	XN = 1 << 12,
	READ_WRITE = 3 << 8,
	READ_ONLY = 6 << 8,
	DEVICE = 1 << 0,               // shareable
	NOT_CACHED = 1 << 3 | 1 << 2,  // normal, shareable
	// Normal, write-back, write-allocate. Not shareable: a Cortex-R5 does not cache shareable memory.
	CACHED = 1 << 3 | 1 << 1 | 1 << 0,
};

static const uint32_t attributes[] = {
	[REGION_CODE] = CACHED | READ_ONLY,
	[REGION_DATA] = CACHED | READ_WRITE | XN,
	[REGION_SHARED] = NOT_CACHED | READ_WRITE | XN,
	[REGION_CACHED] = CACHED | READ_WRITE | XN,
};

static const struct region regions[] = BOARD_REGIONS;
enum { REGIONS = sizeof regions / sizeof *regions, SIZE_4G = 31 };

_Static_assert(BOARD_REGIONS_ALIGNED, "images and windows of board.json are powers of two at multiples of themselves");
// Implementations have 12 or 16; region 0 is everything else.
_Static_assert(REGIONS < 12, "the board has more stretches of memory than the unit has regions");

static void set(uint32_t number, uint32_t base, uint32_t size, uint32_t access)
{
	CP15_WRITE(0, c6, c2, 0, number);
	CP15_WRITE(0, c6, c1, 2, 0);
	CP15_WRITE(0, c6, c1, 0, base);
	CP15_WRITE(0, c6, c1, 4, access);
	CP15_WRITE(0, c6, c1, 2, size << 1 | 1);
}

void mpu_start(void)
{
	uint32_t there = CP15_READ(0, c0, c0, 4) >> 8 & 0xff;

	SCTLR_WRITE(SCTLR_READ() & ~(uint32_t)(SCTLR_M | SCTLR_BR));
	set(0, 0, SIZE_4G, DEVICE | READ_WRITE | XN);
	for (uint32_t at = 0; at < REGIONS; at++)
		set(1 + at, regions[at].base, 31 - (uint32_t)__builtin_clz(regions[at].bytes) - 1, attributes[regions[at].use]);
	// Whatever an earlier program left.
	for (uint32_t number = 1 + REGIONS; number < there; number++) {
		CP15_WRITE(0, c6, c2, 0, number);
		CP15_WRITE(0, c6, c1, 2, 0);
	}
	synchronize();
	SCTLR_WRITE(SCTLR_READ() | SCTLR_M);
	synchronize();
}
