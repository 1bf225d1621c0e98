// Generic interrupt controller, version 3, with one security state (Cortex-R52): this core's lines, its interface in coprocessor 15.
//
// Distributor        offset
// CTLR               0000      register write pending b31, affinity routing b4, enable group 1 b1
// IGROUPR            0080 + 4n one bit per line: group 1 interrupts, group 0 is for the fast interrupt
// ISENABLER          0100 + 4n
// ICENABLER          0180 + 4n
// IPRIORITYR         0400 + n  one byte per line
// ICFGR              0C00 + 4n two bits per line: an edge is kept b1
// IROUTER            6000 + 8n the core that takes the line, by its affinity
// Redistributor of core n at + 20000 n; of lines 0..31 it has what the distributor has of the others, at + 10000
// WAKER              0014      children asleep b2, processor sleep b1
#include "board.h"
#include "cortex-r.h"

enum { CTLR = 0x00, IGROUPR = 0x80, ISENABLER = 0x100, ICENABLER = 0x180, IPRIORITYR = 0x400, ICFGR = 0xc00, IROUTER = 0x6000, WAKER = 0x14 };
enum { WRITE_PENDING = (int)0x80000000, ROUTING = 1 << 4, GROUP_1 = 1 << 1, CHILDREN_ASLEEP = 1 << 2, PROCESSOR_SLEEP = 1 << 1 };
enum { CORE_STRIDE = 0x20000, OWN_LINES_AT = 0x10000, OWN_LINES = 32, NONE = 1020, PRIORITY = 0x80, LOWEST = 0xff };

#define MPIDR_READ() CP15_READ(0, c0, c0, 5) // the core's number in its cluster b7..0
#define ICC_PMR_WRITE(value) CP15_WRITE(0, c4, c6, 0, value)
#define ICC_IAR1_READ() CP15_READ(0, c12, c12, 0)
#define ICC_EOIR1_WRITE(value) CP15_WRITE(0, c12, c12, 1, value)
#define ICC_SRE_WRITE(value) CP15_WRITE(0, c12, c12, 5, value)
#define ICC_IGRPEN1_WRITE(value) CP15_WRITE(0, c12, c12, 7, value)

static const uint32_t lines[] = BOARD_LINES;
static const uint32_t line_count = sizeof lines / sizeof *lines;

static uint32_t core(void)
{
	return MPIDR_READ() & 0xff;
}

static uint32_t redistributor(void)
{
	return BOARD_GIC_REDISTRIBUTORS + CORE_STRIDE * core();
}

// Where the registers of a line begin.
static uint32_t home(uint32_t line)
{
	return line < OWN_LINES ? redistributor() + OWN_LINES_AT : BOARD_GIC_DISTRIBUTOR;
}

void line_mask(uint32_t line)
{
	REGISTER(home(line) + ICENABLER + line / 32 * 4) = 1u << line % 32;
}

// As in version 2: a level that is still asserted fires again, a ring that came since the last one was taken is pending here.
void line_unmask(uint32_t line)
{
	REGISTER(home(line) + ISENABLER + line / 32 * 4) = 1u << line % 32;
}

void line_pulses(uint32_t line)
{
	line_mask(line);
	REGISTER(home(line) + ICFGR + line / 16 * 4) |= 2u << line % 16 * 2;
	line_unmask(line);
}

static void line_start(uint32_t line)
{
	line_mask(line);
	*(volatile uint8_t *)(uintptr_t)(home(line) + IPRIORITYR + line) = PRIORITY;
	REGISTER(home(line) + IGROUPR + line / 32 * 4) |= 1u << line % 32;
	if (line >= OWN_LINES) {
		REGISTER(BOARD_GIC_DISTRIBUTOR + IROUTER + 8 * line) = core();
		REGISTER(BOARD_GIC_DISTRIBUTOR + IROUTER + 8 * line + 4) = 0;
	}
	// Handlers run only in machine_idle; until then a line is what ends the sleep that a release waits in.
	line_unmask(line);
}

// The other core may have started the distributor before, or do so later: nothing here touches a line of its.
void controller_start(void)
{
	REGISTER(redistributor() + WAKER) &= ~(uint32_t)PROCESSOR_SLEEP;
	while (REGISTER(redistributor() + WAKER) & CHILDREN_ASLEEP)
		;
	// Routing is fixed where a core has no other interface than its system registers; elsewhere it comes before the lines.
	REGISTER(BOARD_GIC_DISTRIBUTOR + CTLR) = ROUTING;
	REGISTER(BOARD_GIC_DISTRIBUTOR + CTLR) = ROUTING | GROUP_1;
	while (REGISTER(BOARD_GIC_DISTRIBUTOR + CTLR) & WRITE_PENDING)
		;
	ICC_SRE_WRITE(1);
	synchronize();
	for (uint32_t index = 0; index < line_count; index++)
		line_start(lines[index]);
	line_start(BOARD_ALARM);
	ICC_PMR_WRITE(LOWEST);
	ICC_IGRPEN1_WRITE(1);
	synchronize();
}

void controller_interrupt(void)
{
	uint32_t acknowledged = ICC_IAR1_READ(), line = acknowledged & 0xffffff;

	if (line >= NONE)
		return;
	if (line == BOARD_ALARM)
		counter_alarm_off();
	else
		machine_line(line);
	synchronize();
	ICC_EOIR1_WRITE(acknowledged);
}
