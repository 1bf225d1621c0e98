// SysTick's counter and alarm on a model of its registers: no tick is lost, however long the sleep and however late the core reads.
#include <stdint.h>
#include <stdio.h>

// Every access takes a tick. The counter reaches 0, then begins again at RVR; a write of CVR, whatever it is, leaves 0.
static struct { uint32_t csr, rvr, cvr; } systick_registers;
static uint64_t passed;
static int rang;

static void tick(void)
{
	passed++;
	if (systick_registers.cvr == 0) {
		systick_registers.cvr = systick_registers.rvr;
	} else {
		systick_registers.cvr--;
		if (systick_registers.cvr == 0 && systick_registers.csr & 2)
			rang = 1;
	}
}

static uint32_t *accessed(uint32_t *what)
{
	tick();
	return what;
}

// What core.h names.
#define CORE_H
#define SYST_CSR (*accessed(&systick_registers.csr))
#define SYST_RVR (*accessed(&systick_registers.rvr))
#define SYST_CVR (*accessed(&systick_registers.cvr))
#define SCB_ICSR (*accessed(&pending))
enum { SYST_RUNS = 5, SYST_INTERRUPTS = 2 };
static uint32_t pending;

#include "systick.c"

// Ticks that an alarm costs at most, where the count begins anew.
enum { SLACK = 8 };

// Sleeps `ticks` in as many alarms as it takes; the core comes `late` ticks after each. 0 = something is wrong.
static int slept(uint64_t ticks, uint32_t late)
{
	uint32_t from = counter_read();
	uint64_t began = passed;
	uint32_t gone = 0, alarms = 0;

	while (gone < ticks) {
		rang = 0;
		counter_alarm(ticks - gone);
		for (uint32_t waited = 0; !rang; waited++) {
			if (waited > 0xffffff)
				return 0;
			tick();
		}
		for (uint32_t more = 0; more < late; more++)
			tick();
		systick();
		gone = counter_read() - from;
		alarms++;
		uint64_t truly = passed - began;
		if (gone > truly || truly - gone > SLACK * alarms)
			return 0;
	}
	return 1;
}

int main(void)
{
	// 100 ms at 25, 100, 237, 400 and 800 MHz, and around what 24 bits hold.
	static const uint32_t sleeps[] = { 1000, 2500000, 10000000, 23700000, 40000000, 80000000, 0x7ffffe, 0x7fffff, 0x800000, 0xfffffe, 0xffffff, 0x1000000 };
	static const uint32_t delays[] = { 0, 1, 14000, 4000000 };

	counter_start(0);
	for (unsigned at = 0; at < sizeof sleeps / sizeof *sleeps; at++) {
		for (unsigned late = 0; late < sizeof delays / sizeof *delays; late++) {
			if (!slept(sleeps[at], delays[late])) {
				printf("a sleep of %u ticks, read %u late, was not counted\n", sleeps[at], delays[late]);
				return 1;
			}
			counter_alarm_off();
		}
	}
	return 0;
}
