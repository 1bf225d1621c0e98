// Time on a Cortex-M: a CMSDK timer counts ticks, SysTick is the alarm clock; both run at the board's clock.
//
// Register   offset
// CTRL       00   enable b0
// VALUE      04   counts down
// RELOAD     08
#include "core.h"
#include "cortex-m.h"

#include "board.h"

enum { CTRL = 0x00, VALUE = 0x04, RELOAD = 0x08 };
enum { TICKS_PER_MICROSECOND = BOARD_TIMER_HERTZ / 1000000 };

_Static_assert(BOARD_TIMER_HERTZ % 1000000 == 0, "the timer's rate is whole megahertz");

static uint32_t timer;
static uint64_t ticks;
static uint64_t microseconds;
static uint64_t converted; // ticks that `microseconds` covers
static uint32_t instructions_per_tick;

// The counter wraps after 2^32 ticks (172 s at 25 MHz). It is read at every idle, and no idle lasts longer than 2^27
// microseconds, so one wrap at most lies between two reads.
uint64_t timer_ticks(void)
{
	ticks += (uint32_t)(~REGISTER(timer + VALUE) - (uint32_t)ticks);
	return ticks;
}

uint64_t timer_microseconds(void)
{
	// 32 bits hold what has passed since the last idle; dividing 64 bits would cost hundreds of instructions.
	uint32_t passed = (uint32_t)(timer_ticks() - converted) / TICKS_PER_MICROSECOND;

	microseconds += passed;
	converted += passed * TICKS_PER_MICROSECOND;
	return microseconds;
}

// Under QEMU's -icount every instruction takes the same time, so a loop of known length gives instructions per tick.
// Another core may run in between; the shortest of several rounds is the one that it did not disturb.
static uint32_t calibrate(void)
{
	enum { ROUNDS = 8, TURNS = 25000, INSTRUCTIONS_PER_TURN = 2 };
	uint32_t shortest = UINT32_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t turns = TURNS;
		uint64_t begin = timer_ticks();
		__asm volatile("1: subs %0, #1\n bne 1b" : "+l"(turns) : : "cc");
		uint32_t took = (uint32_t)(timer_ticks() - begin);
		if (took < shortest)
			shortest = took;
	}
	return (TURNS * INSTRUCTIONS_PER_TURN + shortest / 2) / shortest;
}

void timer_start(uint32_t address)
{
	timer = address;
	REGISTER(timer + CTRL) = 0;
	REGISTER(timer + RELOAD) = UINT32_MAX;
	REGISTER(timer + VALUE) = UINT32_MAX;
	REGISTER(timer + CTRL) = 1;
	instructions_per_tick = calibrate();
}

uint32_t timer_instructions_per_tick(void)
{
	return instructions_per_tick;
}

void timer_alarm(uint64_t until)
{
	uint64_t now = timer_microseconds();
	uint64_t wait = until > now ? (until - now) * TICKS_PER_MICROSECOND : 1;

	SYST_RVR = wait < 0xffffff ? (uint32_t)wait : 0xffffff;
	SYST_CVR = 0;
	SYST_CSR = 7;
	// The count after this one is short: QEMU 7.2 wakes a lone core under -icount sleep=off one count too late.
	while (SYST_CVR == 0)
		;
	SYST_RVR = TICKS_PER_MICROSECOND;
}

void timer_alarm_off(void)
{
	SYST_CSR = 0;
	SCB_ICSR = 1u << 25;
}
