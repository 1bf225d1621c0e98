// Cadence triple timer counter of a Zynq UltraScale+, 32 bits: its first counter is the clock, its second one the alarm.
//
// Register      offset   + 4 n for counter n
// CLK_CTRL      00       prescale 4..1 (divides by 2^(n + 1)), prescale enable b0
// CNT_CTRL      0C       reset b4, interval mode b1, disable b0
// CNT_VAL       18       counts up
// INTERVAL      24
// ISR           54       reading clears
// IER           60       interval b0
#include "bare-metal.h"

enum { CLK_CTRL = 0x00, CNT_CTRL = 0x0c, CNT_VAL = 0x18, INTERVAL = 0x24, ISR = 0x54, IER = 0x60, ALARM = 4 };
// Divides by four: board.json gives the divided rate, at which 32 bits last for minutes.
enum { DIVIDE_BY_4 = 1 << 1 | 1, RESET = 1 << 4, INTERVAL_MODE = 1 << 1, DISABLE = 1 << 0, INTERVAL_INTERRUPT = 1 << 0 };

static uint32_t timer;

void counter_start(uint32_t address)
{
	timer = address;
	REGISTER(timer + CNT_CTRL) = DISABLE;
	REGISTER(timer + CLK_CTRL) = DIVIDE_BY_4;
	REGISTER(timer + IER) = 0;
	REGISTER(timer + CNT_CTRL) = RESET;
	REGISTER(timer + ALARM + CLK_CTRL) = DIVIDE_BY_4;
	counter_alarm_off();
}

uint32_t counter_read(void)
{
	return REGISTER(timer + CNT_VAL);
}

void counter_alarm(uint64_t ticks)
{
	REGISTER(timer + ALARM + CNT_CTRL) = DISABLE;
	REGISTER(timer + ALARM + INTERVAL) = ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
	REGISTER(timer + ALARM + IER) = INTERVAL_INTERRUPT;
	REGISTER(timer + ALARM + CNT_CTRL) = RESET | INTERVAL_MODE;
}

void counter_alarm_off(void)
{
	REGISTER(timer + ALARM + CNT_CTRL) = DISABLE;
	REGISTER(timer + ALARM + IER) = 0;
	(void)REGISTER(timer + ALARM + ISR);
}
