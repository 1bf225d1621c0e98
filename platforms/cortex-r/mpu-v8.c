// Memory protection of ARMv8-R (Cortex-R52) at exception level 1: regions are any stretch of whole 64 bytes and must not overlap.
//
// Register  CP15          bits
// MPUIR     0 c0 c0 4     REGION 15..8: regions there are
// PRSELR    0 c6 c2 1     the region that the two below are of
// PRBAR     0 c6 c3 0     base 31..6, SH 4..3, AP 2..1, XN 0
// PRLAR     0 c6 c3 1     limit 31..6, index of the attributes 3..1, enable 0
// MAIR0     0 c10 c2 0    attributes 0..3, one byte each
#include "board.h"
#include "cortex-r.h"

enum {
	XN = 1 << 0,
	READ_WRITE = 0 << 1,
	READ_ONLY = 2 << 1,
	OUTER_SHAREABLE = 2 << 3,
	// Indexes of MAIR0's bytes, where PRLAR has them.
	DEVICE = 0 << 1,     // nGnRE
	NOT_CACHED = 1 << 1, // normal
	CACHED = 2 << 1,     // normal, write-back, allocates when read and written
	ATTRIBUTES = 0xff4404,
	GRANULE = 64,
};

static const struct { uint32_t access, attributes; } uses[] = {
	[REGION_CODE] = { READ_ONLY, CACHED },
	[REGION_DATA] = { READ_WRITE | XN, CACHED },
	[REGION_SHARED] = { READ_WRITE | XN | OUTER_SHAREABLE, NOT_CACHED },
	// Not shareable: a Cortex-R52 does not cache shareable memory.
	[REGION_CACHED] = { READ_WRITE | XN, CACHED },
};

static const struct region regions[] = BOARD_REGIONS;
enum { REGIONS = sizeof regions / sizeof *regions };

// Implementations have 16, 20 or 24; between and around the board's stretches lie devices.
_Static_assert(2 * REGIONS + 1 <= 16, "the board has more stretches of memory than the unit has regions");

static void set(uint32_t number, uint32_t base, uint32_t limit, uint32_t access, uint32_t attributes)
{
	CP15_WRITE(0, c6, c2, 1, number);
	synchronize();
	CP15_WRITE(0, c6, c3, 0, base | access);
	CP15_WRITE(0, c6, c3, 1, (limit & ~(uint32_t)(GRANULE - 1)) | attributes | 1);
}

void mpu_start(void)
{
	uint32_t there = CP15_READ(0, c0, c0, 4) >> 8 & 0xff, used = 0, next = 0;

	SCTLR_WRITE(SCTLR_READ() & ~(uint32_t)(SCTLR_M | SCTLR_BR));
	synchronize();
	CP15_WRITE(0, c10, c2, 0, ATTRIBUTES);
	// board.h has them by address.
	for (uint32_t at = 0; at < REGIONS; at++) {
		if (regions[at].base != next)
			set(used++, next, regions[at].base - 1, READ_WRITE | XN, DEVICE);
		next = regions[at].base + regions[at].bytes;
		set(used++, regions[at].base, next - 1, uses[regions[at].use].access, uses[regions[at].use].attributes);
	}
	if (next != 0)
		set(used++, next, UINT32_MAX, READ_WRITE | XN, DEVICE);
	// Whatever an earlier program left.
	for (; used < there; used++) {
		CP15_WRITE(0, c6, c2, 1, used);
		synchronize();
		CP15_WRITE(0, c6, c3, 1, 0);
	}
	synchronize();
	SCTLR_WRITE(SCTLR_READ() | SCTLR_M);
	synchronize();
}
