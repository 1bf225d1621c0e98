// Time from the board's counter: ticks of 64 bits, microseconds, the length of an instruction, the alarm.
#include "bare-metal.h"
#include "board.h"

enum { TICKS_PER_MICROSECOND = BOARD_TIMER_HERTZ / 1000000 };

_Static_assert(BOARD_TIMER_HERTZ % 1000000 == 0, "the timer's rate is whole megahertz");

static uint64_t ticks;
static uint64_t microseconds;
static uint64_t converted; // ticks that `microseconds` covers
static uint32_t instructions_per_tick;

// The counter wraps after 2^32 ticks (172 s at 25 MHz). It is read at every idle, and no idle lasts longer than 2^27
// microseconds, so one wrap at most lies between two reads.
uint64_t machine_ticks(void)
{
	ticks += (uint32_t)(counter_read() - (uint32_t)ticks);
	return ticks;
}

uint64_t timer_microseconds(void)
{
	// 32 bits hold what has passed since the last idle; dividing 64 bits would cost hundreds of instructions.
	uint32_t passed = (uint32_t)(machine_ticks() - converted) / TICKS_PER_MICROSECOND;

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
		uint64_t begin = machine_ticks();
		__asm volatile("1: subs %0, #1\n bne 1b" : "+l"(turns) : : "cc");
		uint32_t took = (uint32_t)(machine_ticks() - begin);
		if (took < shortest)
			shortest = took;
	}
	return shortest == 0 ? 0 : (TURNS * INSTRUCTIONS_PER_TURN + shortest / 2) / shortest;
}

uint32_t machine_clock(void)
{
	return (uint32_t)timer_microseconds() & 0x7ffffff;
}

void timer_start(uint32_t timer)
{
	counter_start(timer);
	ticks = converted = counter_read();
	instructions_per_tick = calibrate();
}

uint32_t machine_instructions_per_tick(void)
{
	return instructions_per_tick;
}

void timer_alarm(uint64_t until)
{
	uint64_t now = timer_microseconds();

	counter_alarm(until > now ? (until - now) * TICKS_PER_MICROSECOND : 1);
}

void timer_alarm_off(void)
{
	counter_alarm_off();
}
