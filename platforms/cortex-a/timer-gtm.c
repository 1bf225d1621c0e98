// General timers of a Renesas RZ/G2L: one is the clock, the next one the alarm. Their own clock is what the boot loader turned on.
//
// Register   offset   + 400 for the next timer
// OSTMnCMP   00       where it begins to count down, or what it is compared with
// OSTMnCNT   04
// OSTMnTS    14       starts b0
// OSTMnTT    18       stops b0
// OSTMnCTL   20       counts up and goes round b1, interrupt at the start b0
#include "board.h"
#include "cortex-r.h"

enum { CMP = 0x00, CNT = 0x04, TS = 0x14, TT = 0x18, CTL = 0x20, ALARM = 0x400, FREE_RUNNING = 1 << 1 };

static uint32_t timer;

void counter_start(uint32_t address)
{
	timer = address;
	REGISTER(timer + TT) = 1;
	REGISTER(timer + CTL) = FREE_RUNNING;
	REGISTER(timer + CMP) = UINT32_MAX;
	REGISTER(timer + TS) = 1;
	counter_alarm_off();
	REGISTER(timer + ALARM + CTL) = 0;
	line_pulses(BOARD_ALARM);
}

uint32_t counter_read(void)
{
	return REGISTER(timer + CNT);
}

// It goes on, and comes again after as long; whoever takes the interrupt turns it off.
void counter_alarm(uint64_t ticks)
{
	counter_alarm_off();
	REGISTER(timer + ALARM + CMP) = ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
	REGISTER(timer + ALARM + TS) = 1;
}

void counter_alarm_off(void)
{
	REGISTER(timer + ALARM + TT) = 1;
}
