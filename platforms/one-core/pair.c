// Device and driver on one core: each runs until it is idle, then the other one does; when both are idle the one whose
// time-out comes first wakes, the device on a tie. Nothing here depends on anything but the order of calls.
//
// Register block 0 is a model of the SSE-200 message handling unit, block 1 of its system control:
// Register                         offset    bits
// CPU0INTR_STAT / SET / CLR      00/04/08    3..0   interrupts for the driver's core
// CPU1INTR_STAT / SET / CLR      10/14/18    3..0   interrupts for the device's core
// CPUWAIT                             118    1      1 = the device's core waits, as after reset
#include "pair.h"

#include "natives.h"

enum { MHU, SYSTEM_CONTROL };
enum { STAT = 0x0, SET = 0x4, CLR = 0x8, CPU1 = 0x10, MHU_BITS = 15 };
enum { CPUWAIT = 0x118, CPU1WAIT = 2 };

static struct {
	uint64_t deadline;
	bool stopped; // not released yet, or parked
	bool asleep;
	uint32_t interrupt;
} sides[MACHINE_SIDES];

static enum machine_side running;

enum machine_side machine_side(void)
{
	return running;
}

static enum machine_side other_side(void)
{
	return running == MACHINE_DEVICE ? MACHINE_DRIVER : MACHINE_DEVICE;
}

static bool ready(enum machine_side side)
{
	return !sides[side].stopped &&
	       (!sides[side].asleep || sides[side].interrupt || pair_now() >= sides[side].deadline);
}

static void hand_over(void)
{
	enum machine_side from = running;

	running = other_side();
	pair_switch(from, running);
}

uint32_t machine_idle(uint32_t limit)
{
	enum machine_side self = running, other = other_side();

	pair_step();
	sides[self].deadline = pair_now() + limit;
	if (sides[self].interrupt)
		return 1;
	sides[self].asleep = true;
	for (;;) {
		if (ready(other)) {
			// The other side comes back here only once this one is ready.
			hand_over();
			break;
		}
		if (ready(self))
			break;
		bool other_first = !sides[other].stopped && sides[other].deadline < sides[self].deadline;
		pair_sleep(sides[other_first ? other : self].deadline);
	}
	sides[self].asleep = false;
	return sides[self].interrupt ? 1 : 0;
}

void machine_park(void)
{
	enum machine_side other = other_side();

	sides[running].stopped = true;
	while (!sides[other].stopped) {
		if (ready(other))
			hand_over();
		else
			pair_sleep(sides[other].deadline);
	}
	natives_fatal("both sides have stopped");
}

uint32_t machine_register_read(uint32_t block, uint32_t offset)
{
	if (block == MHU && offset == STAT)
		return sides[MACHINE_DRIVER].interrupt;
	if (block == MHU && offset == CPU1 + STAT)
		return sides[MACHINE_DEVICE].interrupt;
	if (block == SYSTEM_CONTROL && offset == CPUWAIT)
		return sides[MACHINE_DEVICE].stopped ? CPU1WAIT : 0;
	natives_fatal("a register was read that this machine does not have");
}

void machine_register_write(uint32_t block, uint32_t offset, uint32_t value)
{
	uint32_t *interrupt = &sides[offset & CPU1 ? MACHINE_DEVICE : MACHINE_DRIVER].interrupt;

	if (block == MHU && (offset & ~(uint32_t)CPU1) == SET)
		*interrupt |= value & MHU_BITS;
	else if (block == MHU && (offset & ~(uint32_t)CPU1) == CLR)
		*interrupt &= ~value;
	else if (block == SYSTEM_CONTROL && offset == CPUWAIT)
		sides[MACHINE_DEVICE].stopped = (value & CPU1WAIT) != 0;
	else
		natives_fatal("a register was written that this machine does not have");
}

void pair_start(void)
{
	running = MACHINE_DRIVER;
	sides[MACHINE_DEVICE].stopped = true;
	engine_run();
}

void pair_enter(void)
{
	engine_run();
}
