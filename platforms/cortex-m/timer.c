// The timer of the MPS2 boards: a CMSDK timer is the counter, SysTick the alarm; both run at the board's clock.
//
// Register   offset
// CTRL       00   enable b0
// VALUE      04   counts down
// RELOAD     08
#include "core.h"

#include "board.h"

enum { CTRL = 0x00, VALUE = 0x04, RELOAD = 0x08 };

static uint32_t timer;

void counter_start(uint32_t address)
{
	timer = address;
	REGISTER(timer + CTRL) = 0;
	REGISTER(timer + RELOAD) = UINT32_MAX;
	REGISTER(timer + VALUE) = UINT32_MAX;
	REGISTER(timer + CTRL) = 1;
}

uint32_t counter_read(void)
{
	return ~REGISTER(timer + VALUE);
}

void counter_alarm(uint64_t ticks)
{
	SYST_RVR = ticks < 0xffffff ? (uint32_t)ticks : 0xffffff;
	SYST_CVR = 0;
	SYST_CSR = SYST_RUNS | SYST_INTERRUPTS;
	// The count after this one is short: QEMU 7.2 wakes a lone core under -icount sleep=off one count too late.
	while (SYST_CVR == 0)
		;
	SYST_RVR = BOARD_TIMER_HERTZ / 1000000;
}

void counter_alarm_off(void)
{
	SYST_CSR = 0;
	SCB_ICSR = 1u << 25;
}

void systick(void)
{
	// One shot: it has ended the sleep by becoming pending.
	SYST_CSR = 0;
}
