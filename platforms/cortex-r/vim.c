// Vectored interrupt manager of a K3 SoC's R5F: each core has its own, of which only the numbers are used, not the vectors.
//
// Register        offset
// INFO            0004            interrupts there are 10..0
// IRQVEC          0018            reading makes the line with the highest priority the active one, writing ends it
// ACTIRQ          0020            valid b31, number 9..0; as the read of IRQVEC left it
// INTR_EN_SET     0408 + 20 n     one bit per line, 32 lines a group
// INTR_EN_CLR     040C + 20 n
// IRQSTS          0410 + 20 n     write one to clear; a level that is still asserted sets it again
// INTMAP          0418 + 20 n     1 = fast interrupt
// INTTYPE         041C + 20 n     0 = level
// PRI_INT         1000 + 4 line   0 first, 15 last
#include "board.h"
#include "cortex-r.h"

enum { INFO = 0x04, IRQVEC = 0x18, ACTIRQ = 0x20, INTR_EN_SET = 0x408, INTR_EN_CLR = 0x40c, IRQSTS = 0x410, INTMAP = 0x418, INTTYPE = 0x41c, PRI_INT = 0x1000 };
enum { GROUP = 32, GROUP_STRIDE = 0x20, NUMBERS = 0x3ff, VALID = (int)0x80000000, PRIORITY = 8 };

#define VIM(offset) REGISTER(BOARD_VIM + (offset))
#define OF_GROUP(offset, line) VIM((offset) + (line) / GROUP * GROUP_STRIDE)

static const uint32_t lines[] = BOARD_LINES;
static const uint32_t line_count = sizeof lines / sizeof *lines;

static uint32_t bit(uint32_t line)
{
	return 1u << line % GROUP;
}

void line_mask(uint32_t line)
{
	OF_GROUP(INTR_EN_CLR, line) = bit(line);
}

// The status keeps a level that has gone since: it is dropped here, and one that is still there comes back.
void line_unmask(uint32_t line)
{
	OF_GROUP(IRQSTS, line) = bit(line);
	OF_GROUP(INTR_EN_SET, line) = bit(line);
}

static void line_start(uint32_t line)
{
	VIM(PRI_INT + 4 * line) = PRIORITY;
	OF_GROUP(INTMAP, line) &= ~bit(line);
	OF_GROUP(INTTYPE, line) &= ~bit(line);
}

// No other core uses this one: what an earlier program left is switched off, and what it was in the middle of is ended.
void controller_start(void)
{
	uint32_t there = VIM(INFO) & 0x7ff;

	for (uint32_t line = 0; line < there; line += GROUP)
		OF_GROUP(INTR_EN_CLR, line) = UINT32_MAX;
	VIM(IRQVEC) = 0;
	for (uint32_t index = 0; index < line_count; index++)
		line_start(lines[index]);
	line_start(BOARD_ALARM);
	line_unmask(BOARD_ALARM);
}

void controller_interrupt(void)
{
	(void)VIM(IRQVEC);
	uint32_t active = VIM(ACTIRQ), line = active & NUMBERS;

	if (active & VALID) {
		if (line == BOARD_ALARM)
			counter_alarm_off();
		else
			machine_line(line);
		OF_GROUP(IRQSTS, line) = bit(line);
	}
	VIM(IRQVEC) = 0;
}
