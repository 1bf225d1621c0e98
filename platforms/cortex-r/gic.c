// Generic interrupt controller, versions 1 and 2 (the PL390 of a Zynq's RPU): this core's lines and its interface.
//
// Distributor  offset
// CTLR         000      enable b0
// ISENABLER    100 + 4n  one bit per line; 0..31 are banked per core
// ICENABLER    180 + 4n
// IPRIORITYR   400 + n   one byte per line
// ITARGETSR    800 + n   one byte per line: a bit per core; of lines 0..31 this core's own bit
// CPU interface
// CTLR         00       enable b0
// PMR          04       lines with a smaller priority number pass
// IAR          0C       reading takes the line with the highest priority; 1023 = none
// EOIR         10
#include "board.h"
#include "cortex-r.h"

enum { ISENABLER = 0x100, ICENABLER = 0x180, IPRIORITYR = 0x400, ITARGETSR = 0x800 };
enum { CTLR = 0x00, PMR = 0x04, IAR = 0x0c, EOIR = 0x10 };
enum { SHARED_LINES = 32, NONE = 1020, PRIORITY = 0x80, LOWEST = 0xff };

#define DISTRIBUTOR(offset) REGISTER(BOARD_GIC_DISTRIBUTOR + (offset))
#define INTERFACE(offset) REGISTER(BOARD_GIC_INTERFACE + (offset))
#define BYTE(offset) (*(volatile uint8_t *)(uintptr_t)(BOARD_GIC_DISTRIBUTOR + (offset)))

static const uint32_t lines[] = BOARD_LINES;
static const uint32_t line_count = sizeof lines / sizeof *lines;

void line_mask(uint32_t line)
{
	DISTRIBUTOR(ICENABLER + line / 32 * 4) = 1u << line % 32;
}

// A level that is still asserted fires again, one that was acknowledged does not. A line below 16 is another core's ring: it
// is taken by the read of IAR, and what comes afterwards stays pending here.
void line_unmask(uint32_t line)
{
	DISTRIBUTOR(ISENABLER + line / 32 * 4) = 1u << line % 32;
}

static void line_start(uint32_t line)
{
	line_mask(line);
	BYTE(IPRIORITYR + line) = PRIORITY;
	// Where there is one core the field reads 0 and needs nothing.
	if (line >= SHARED_LINES)
		BYTE(ITARGETSR + line) = BYTE(ITARGETSR);
}

// The other core may have started the distributor before, or do so later: nothing here touches a line of its.
void controller_start(void)
{
	INTERFACE(CTLR) = 0;
	for (uint32_t index = 0; index < line_count; index++)
		line_start(lines[index]);
	line_start(BOARD_ALARM);
	line_unmask(BOARD_ALARM);
	DISTRIBUTOR(CTLR) = 1;
	INTERFACE(PMR) = LOWEST;
	INTERFACE(CTLR) = 1;
}

void controller_interrupt(void)
{
	uint32_t acknowledged = INTERFACE(IAR), line = acknowledged & 0x3ff;

	if (line >= NONE)
		return;
	if (line == BOARD_ALARM)
		counter_alarm_off();
	else
		machine_line(line);
	// With a ring from another core its number stands above the line's, and both go back.
	INTERFACE(EOIR) = acknowledged;
}
