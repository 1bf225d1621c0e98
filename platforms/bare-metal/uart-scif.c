// Serial communication interface with FIFOs of a Renesas RZ/G2L (SCIFA), transmit only; its rate is what the boot loader set.
//
// Register  offset  16 bits but for FTDR
// SCR       04      transmit enable b5
// FTDR      06      8 bits
// FCR       0C      empty what is to be sent b2
// FDR       0E      bytes that wait to be sent b12..8
#include "bare-metal.h"

enum { SCR = 0x04, SCR_TE = 1 << 5, FTDR = 0x06, FCR = 0x0c, FCR_TFRST = 1 << 2, FDR = 0x0e, FDR_T = 0x1f00, FIFO_BYTES = 16 };

#define HALF(address) (*(volatile uint16_t *)(uintptr_t)(address))

void uart_start(uint32_t uart)
{
	HALF(uart + FCR) = FCR_TFRST;
	HALF(uart + FCR) = 0;
	HALF(uart + SCR) = SCR_TE;
}

void uart_write(uint32_t uart, const char *text, size_t bytes)
{
	for (size_t at = 0; at < bytes; at++) {
		while ((HALF(uart + FDR) & FDR_T) >= FIFO_BYTES << 8)
			;
		*(volatile uint8_t *)(uintptr_t)(uart + FTDR) = (uint8_t)text[at];
	}
}
