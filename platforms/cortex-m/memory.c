// Attributes of a Cortex-M's memory: what the other side shares is neither cached nor executed; the rest is as the core has it.
//
// A core without memory protection and without caches (CLIDR and MPU_TYPE read 0) is left as it is.
#include "board.h"
#include "core.h"

#define MPU_TYPE REGISTER(0xe000ed90) // DREGION b15-8
#define MPU_CTRL REGISTER(0xe000ed94) // ENABLE b0, PRIVDEFENA b2
#define MPU_RNR REGISTER(0xe000ed98)
#define MPU_RBAR REGISTER(0xe000ed9c)
#define MPU_RASR REGISTER(0xe000eda0) // RLAR of ARMv8-M
#define MPU_MAIR0 REGISTER(0xe000edc0)
#define SCB_CCR REGISTER(0xe000ed14) // DC b16, IC b17
#define SCB_CLIDR REGISTER(0xe000ed78)
#define SCB_CCSIDR REGISTER(0xe000ed80)
#define SCB_CSSELR REGISTER(0xe000ed84)
#define SCB_ICIALLU REGISTER(0xe000ef50)
#define SCB_DCISW REGISTER(0xe000ef60)

enum { CCR_DC = 1 << 16, CCR_IC = 1 << 17 };

#define REGION(low, bytes) { low, bytes },
static const struct { uint32_t low, bytes; } regions[] = { BOARD_UNCACHED };
enum { REGIONS = sizeof regions / sizeof *regions };

static void protection_start(void)
{
	uint32_t available = MPU_TYPE >> 8 & 0xff;

	if (available < REGIONS)
		return;
	MPU_CTRL = 0;
	for (uint32_t region = 0; region < available; region++) {
		MPU_RNR = region;
		MPU_RASR = 0;
		if (region >= REGIONS)
			continue;
		// Normal memory, shareable, not cached, read and written, not executed.
#if __ARM_ARCH >= 8
		MPU_RBAR = regions[region].low | 3u << 3 | 1u << 1 | 1;
		MPU_RASR = (regions[region].low + regions[region].bytes - 32) | 1;
#else
		MPU_RBAR = regions[region].low;
		MPU_RASR = 1u << 28 | 3u << 24 | 1u << 19 | 1u << 18 | (30 - (uint32_t)__builtin_clz(regions[region].bytes)) << 1 | 1;
#endif
	}
#if __ARM_ARCH >= 8
	MPU_MAIR0 = 0x44;
#endif
	MPU_CTRL = 5;
	__asm volatile("dsb\n isb" : : : "memory");
}

static void caches_start(void)
{
	uint32_t kind = SCB_CLIDR & 7;

	if ((kind == 1 || kind == 3) && !(SCB_CCR & CCR_IC)) {
		SCB_ICIALLU = 0;
		__asm volatile("dsb\n isb" : : : "memory");
		SCB_CCR |= CCR_IC;
	}
	if ((kind == 2 || kind == 3) && !(SCB_CCR & CCR_DC)) {
		SCB_CSSELR = 0;
		__asm volatile("dsb" : : : "memory");
		uint32_t size = SCB_CCSIDR;
		uint32_t sets = (size >> 13 & 0x7fff) + 1, ways = (size >> 3 & 0x3ff) + 1, line = (size & 7) + 4;
		for (uint32_t set = 0; set < sets; set++)
			for (uint32_t way = 0; way < ways; way++)
				SCB_DCISW = (ways == 1 ? 0 : way << ((uint32_t)__builtin_clz(ways - 1))) | set << line;
		__asm volatile("dsb" : : : "memory");
		SCB_CCR |= CCR_DC;
	}
	__asm volatile("dsb\n isb" : : : "memory");
}

void memory_start(void)
{
	protection_start();
	caches_start();
}
