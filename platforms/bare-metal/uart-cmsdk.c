// CMSDK APB UART.
//
// Register   offset
// DATA       00
// STATE      04   TX full b0, RX full b1, RX overrun b3 (a write of 1 clears it)
// CTRL       08   TX enable b0, RX enable b1, RX interrupt enable b3
// INTCLEAR   0C   RX interrupt b1
// BAUDDIV    10   at least 16
#include "bare-metal.h"

enum { DATA = 0x00, STATE = 0x04, CTRL = 0x08, INTCLEAR = 0x0c, BAUDDIV = 0x10 };
enum { STATE_TX_FULL = 1 << 0, STATE_RX_FULL = 1 << 1, STATE_RX_OVERRUN = 1 << 3 };
enum { CTRL_TX = 1 << 0, CTRL_RX = 1 << 1, CTRL_RX_INTERRUPT = 1 << 3, INT_RX = 1 << 1 };

void uart_start(uint32_t uart)
{
	REGISTER(uart + BAUDDIV) = 16;
	REGISTER(uart + CTRL) = CTRL_TX;
}

void uart_write(uint32_t uart, const char *text, size_t bytes)
{
	for (size_t at = 0; at < bytes; at++) {
		while (REGISTER(uart + STATE) & STATE_TX_FULL)
			;
		REGISTER(uart + DATA) = (uint8_t)text[at];
	}
}

uint32_t uart_read(uint32_t uart, uint8_t *to, uint32_t bytes)
{
	uint32_t got = 0, lost = 0;

	REGISTER(uart + CTRL) = CTRL_TX | CTRL_RX | CTRL_RX_INTERRUPT;
	// Before the look: a byte that comes after it asserts the interrupt again.
	REGISTER(uart + INTCLEAR) = INT_RX;
	if (REGISTER(uart + STATE) & STATE_RX_OVERRUN) {
		REGISTER(uart + STATE) = STATE_RX_OVERRUN;
		lost = MACHINE_READ_LOST;
	}
	while (got < bytes && REGISTER(uart + STATE) & STATE_RX_FULL)
		to[got++] = (uint8_t)REGISTER(uart + DATA);
	return got | lost;
}
