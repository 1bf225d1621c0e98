// Arm SP804 dual timer: the first one is the counter, the second one the alarm.
//
// Register   offset
// LOAD       00, 20
// VALUE      04, 24   counts down
// CONTROL    08, 28   enable b7, periodic b6, interrupt b5, 32 bits b1, one shot b0
// INTCLR     0C, 2C
#include "bare-metal.h"

enum { LOAD = 0x00, VALUE = 0x04, CONTROL = 0x08, ALARM = 0x20, INTCLR = 0x0c };
enum { ENABLE = 1 << 7, INTERRUPT = 1 << 5, WIDE = 1 << 1, ONE_SHOT = 1 << 0 };

static uint32_t timer;

void counter_start(uint32_t address)
{
	timer = address;
	REGISTER(timer + CONTROL) = 0;
	REGISTER(timer + LOAD) = UINT32_MAX;
	REGISTER(timer + CONTROL) = ENABLE | WIDE;
	counter_alarm_off();
}

uint32_t counter_read(void)
{
	return ~REGISTER(timer + VALUE);
}

void counter_alarm(uint64_t ticks)
{
	REGISTER(timer + ALARM + CONTROL) = 0;
	REGISTER(timer + ALARM + LOAD) = ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
	REGISTER(timer + ALARM + CONTROL) = ENABLE | INTERRUPT | WIDE | ONE_SHOT;
}

void counter_alarm_off(void)
{
	REGISTER(timer + ALARM + CONTROL) = 0;
	REGISTER(timer + ALARM + INTCLR) = 1;
}
