// NXP LPUART in a flexible communication block, transmit only; its rate is what the boot loader set.
//
// Register   offset
// STAT       14    transmit data register empty b23
// CTRL       18    transmit enable b19
// DATA       1C
// PSELID     FF8   what the block is, b2..0: 1 = UART
#include "bare-metal.h"

enum { STAT = 0x14, STAT_EMPTY = 1 << 23, CTRL = 0x18, CTRL_TRANSMIT = 1 << 19, DATA = 0x1c, PSELID = 0xff8, PSELID_UART = 1 };

void uart_start(uint32_t uart)
{
	REGISTER(uart + PSELID) = PSELID_UART;
	REGISTER(uart + CTRL) = CTRL_TRANSMIT;
}

void uart_write(uint32_t uart, const char *text, size_t bytes)
{
	for (size_t at = 0; at < bytes; at++) {
		while (!(REGISTER(uart + STAT) & STAT_EMPTY))
			;
		REGISTER(uart + DATA) = (uint8_t)text[at];
	}
}
