// CMSDK APB UART, transmit only.
//
// Register   offset
// DATA       00
// STATE      04   TX full b0
// CTRL       08   TX enable b0
// BAUDDIV    10   at least 16
#include "bare-metal.h"

enum { DATA = 0x00, STATE = 0x04, CTRL = 0x08, BAUDDIV = 0x10 };

void uart_start(uint32_t uart)
{
	REGISTER(uart + BAUDDIV) = 16;
	REGISTER(uart + CTRL) = 1;
}

void uart_write(uint32_t uart, const char *text, size_t bytes)
{
	for (size_t at = 0; at < bytes; at++) {
		while (REGISTER(uart + STATE) & 1)
			;
		REGISTER(uart + DATA) = (uint8_t)text[at];
	}
}
