// Arm PL011 UART, transmit only.
//
// Register   offset
// DR         00
// FR         18   transmit FIFO full b5
// CR         30   UART enable b0, transmit enable b8
#include "bare-metal.h"

enum { DR = 0x00, FR = 0x18, FR_FULL = 1 << 5, CR = 0x30, CR_TRANSMIT = 1 << 8 | 1 << 0 };

void uart_start(uint32_t uart)
{
	REGISTER(uart + CR) = CR_TRANSMIT;
}

void uart_write(uint32_t uart, const char *text, size_t bytes)
{
	for (size_t at = 0; at < bytes; at++) {
		while (REGISTER(uart + FR) & FR_FULL)
			;
		REGISTER(uart + DR) = (uint8_t)text[at];
	}
}
