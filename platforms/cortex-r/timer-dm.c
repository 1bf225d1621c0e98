// Dual-mode timer of a K3 SoC: one counter of 32 bits is the clock, its match register the alarm.
//
// Register        offset
// IRQSTATUS_RAW   24   match b0; writing one sets it
// IRQSTATUS       28   write one to clear
// IRQENABLE_SET   2C
// IRQENABLE_CLR   30
// TCLR            38   compare b6, begins anew at TLDR b1, counts b0
// TCRR            3C   counts up
// TLDR            40
// TMAR            4C   the count that matches
#include "bare-metal.h"

enum { IRQSTATUS_RAW = 0x24, IRQSTATUS = 0x28, IRQENABLE_SET = 0x2c, IRQENABLE_CLR = 0x30, TCLR = 0x38, TCRR = 0x3c, TLDR = 0x40, TMAR = 0x4c };
enum { MATCH = 1 << 0, ALL = 7, COMPARE = 1 << 6, RELOAD = 1 << 1, COUNT = 1 << 0 };

static uint32_t timer;

void counter_start(uint32_t address)
{
	timer = address;
	REGISTER(timer + TCLR) = 0;
	REGISTER(timer + TLDR) = 0;
	REGISTER(timer + TCRR) = 0;
	counter_alarm_off();
	REGISTER(timer + TCLR) = COMPARE | RELOAD | COUNT;
}

uint32_t counter_read(void)
{
	return REGISTER(timer + TCRR);
}

void counter_alarm(uint64_t ticks)
{
	uint32_t wait = ticks < INT32_MAX ? (uint32_t)ticks : INT32_MAX, from = counter_read();

	REGISTER(timer + TMAR) = from + wait;
	REGISTER(timer + IRQENABLE_SET) = MATCH;
	// The match is one count: when it went by meanwhile, it is raised from here.
	if (counter_read() - from >= wait)
		REGISTER(timer + IRQSTATUS_RAW) = MATCH;
}

void counter_alarm_off(void)
{
	REGISTER(timer + IRQENABLE_CLR) = ALL;
	REGISTER(timer + IRQSTATUS) = ALL;
}
