// The generic timer of ARMv8-R: the physical counter is the clock, the physical timer of exception level 1 the alarm.
//
// Register   CP15           bits
// CNTPCT     0 c14 (64)     counts up at BOARD_TIMER_HERTZ
// CNTP_CVAL  2 c14 (64)     the alarm is pending from this count on
// CNTP_CTL   0 c14 c2 1     masked b1, enable b0
#include "cortex-r.h"

static uint64_t count(void)
{
	uint32_t low, high;

	// Without the barrier the core may have read it before what stands here.
	__asm volatile("isb\n mrrc p15, 0, %0, %1, c14" : "=r"(low), "=r"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

void counter_start(uint32_t timer)
{
	(void)timer;
	counter_alarm_off();
}

uint32_t counter_read(void)
{
	return (uint32_t)count();
}

void counter_alarm(uint64_t ticks)
{
	uint64_t at = count() + ticks;

	__asm volatile("mcrr p15, 2, %0, %1, c14" : : "r"((uint32_t)at), "r"((uint32_t)(at >> 32)) : "memory");
	CP15_WRITE(0, c14, c2, 1, 1);
	synchronize();
}

void counter_alarm_off(void)
{
	CP15_WRITE(0, c14, c2, 1, 0);
	synchronize();
}
