// The memory of a Cortex-A in AArch32: flat, as it is out of reset. An emulator has no caches, and Renode walks no tables of AArch32.
#include "cortex-r.h"

void mpu_start(void)
{
	SCTLR_WRITE(SCTLR_READ() & ~(uint32_t)(SCTLR_M | SCTLR_C | SCTLR_I));
	synchronize();
}

void cache_start(void)
{
}
