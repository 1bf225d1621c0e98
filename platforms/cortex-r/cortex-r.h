// What the Cortex-R files have in common: system registers in the Architecture Reference Manual's names, and start-up's steps.
#ifndef CORTEX_R_H
#define CORTEX_R_H

#include "bare-metal.h"

// Read and write a register of coprocessor 15.
#define CP15_READ(op1, crn, crm, op2) \
	({ uint32_t value_; __asm volatile("mrc p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 : "=r"(value_) : : "memory"); value_; })
#define CP15_WRITE(op1, crn, crm, op2, value) \
	__asm volatile("mcr p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 : : "r"((uint32_t)(value)) : "memory")

#define CTR_READ() CP15_READ(0, c0, c0, 1) // DminLine b19..16: log2 of the words in the smallest data cache line
#define SCTLR_READ() CP15_READ(0, c1, c0, 0)
#define SCTLR_WRITE(value) CP15_WRITE(0, c1, c0, 0, value)
#define DFSR_READ() CP15_READ(0, c5, c0, 0)
#define IFSR_READ() CP15_READ(0, c5, c0, 1)
#define DFAR_READ() CP15_READ(0, c6, c0, 0)
#define IFAR_READ() CP15_READ(0, c6, c0, 2)

enum {
	SCTLR_M = 1 << 0,       // memory protection unit
	SCTLR_C = 1 << 2,       // data cache
	SCTLR_Z = 1 << 11,      // branch prediction
	SCTLR_I = 1 << 12,      // instruction cache
	SCTLR_V = 1 << 13,      // vectors at ffff0000 instead of 0
	SCTLR_BR = 1 << 17,     // default memory map where no region matches
};

static inline void synchronize(void)
{
	__asm volatile("dsb\n isb" : : : "memory");
}

// What a stretch of memory is for; the order is that of BOARD_REGIONS in board.h.
enum region_use {
	REGION_CODE,   // cached, executed, never written
	REGION_DATA,   // cached, private to this core
	REGION_SHARED, // not cached: another core writes it
	REGION_CACHED, // cached, although another core writes it: the firmware cleans and invalidates
};

struct region {
	uint32_t base;
	uint32_t bytes;
	enum region_use use;
};

// Turns protection on: the board's regions as they are used, everything else a device that holds no code.
void mpu_start(void);
// Empties and turns on the caches; the memory protection unit says what they hold.
void cache_start(void);
// This core's end of the interrupt controller: every line masked but the alarm's.
void controller_start(void);
// Supplied by gic-v3.c: a line that is asserted for a moment only and is kept by the controller.
void line_pulses(uint32_t line);
// Called by the vectors for an interrupt request.
void controller_interrupt(void);

#endif
