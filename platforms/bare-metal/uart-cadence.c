// Cadence UART of the Zynq families, transmit only; its rate is what the boot loader set.
//
// Register   offset
// CR         00   transmit enable b4, transmit disable b5
// SR         2C   transmit FIFO full b4
// FIFO       30
#include "bare-metal.h"

enum { CR = 0x00, CR_TRANSMIT = 1 << 4, SR = 0x2c, SR_FULL = 1 << 4, FIFO = 0x30 };

void uart_start(uint32_t uart)
{
	REGISTER(uart + CR) = CR_TRANSMIT;
}

void uart_write(uint32_t uart, const char *text, size_t bytes)
{
	for (size_t at = 0; at < bytes; at++) {
		while (REGISTER(uart + SR) & SR_FULL)
			;
		REGISTER(uart + FIFO) = (uint8_t)text[at];
	}
}
