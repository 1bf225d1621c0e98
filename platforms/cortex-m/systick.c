// Time from SysTick alone, which every Cortex-M has: it is the counter and the alarm. BOARD_TIMER_HERTZ is the core's clock.
//
// It counts down 24 bits and begins again. A count that nobody reads for longer than that (28 ms at 600 MHz) is lost: sleeps
// are half as long at most, since the counter goes on from its alarm until it is read, and a pass of the firmware is meant to be.
#include "core.h"

enum { LONGEST = 0xffffff, LONGEST_ALARM = LONGEST / 2 };

static uint32_t counted; // ticks up to `last`
static uint32_t last;    // the value of the counter then

void counter_start(uint32_t timer)
{
	(void)timer;
	SYST_CSR = 0;
	SYST_RVR = LONGEST;
	SYST_CVR = 0;
	counted = 0;
	last = LONGEST;
	SYST_CSR = SYST_RUNS;
	while (SYST_CVR == 0)
		;
}

uint32_t counter_read(void)
{
	uint32_t now = SYST_CVR;

	counted += (last - now) & LONGEST;
	last = now;
	return counted;
}

// The count begins anew at `ticks`; behind it the longest one follows, so that the same arithmetic goes on.
void counter_alarm(uint64_t ticks)
{
	uint32_t wait = ticks < LONGEST_ALARM ? (uint32_t)ticks : LONGEST_ALARM;

	counter_read();
	SYST_RVR = wait;
	SYST_CVR = 0;
	SYST_CSR = SYST_RUNS | SYST_INTERRUPTS;
	while (SYST_CVR == 0)
		;
	SYST_RVR = LONGEST;
	last = wait;
}

void counter_alarm_off(void)
{
	SYST_CSR = SYST_RUNS;
	SCB_ICSR = 1u << 25;
}

void systick(void)
{
	SYST_CSR = SYST_RUNS;
}
