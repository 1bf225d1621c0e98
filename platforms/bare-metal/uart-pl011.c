// Arm PL011 UART; its rate is what the boot loader set.
//
// Register   offset
// DR         00   overrun b11, beside a received byte
// FR         18   receive FIFO empty b4, transmit FIFO full b5
// LCR_H      2C   FIFO enable b4
// CR         30   UART enable b0, transmit enable b8, receive enable b9
// IMSC       38   interrupts that count: receive b4, receive time-out b6; asserted while bytes wait
#include "bare-metal.h"

enum { DR = 0x00, DR_OVERRUN = 1 << 11, FR = 0x18, FR_EMPTY = 1 << 4, FR_FULL = 1 << 5, LCR_H = 0x2c, LCR_H_FIFO = 1 << 4 };
enum { CR = 0x30, CR_TRANSMIT = 1 << 8 | 1 << 0, CR_RECEIVE = 1 << 9, IMSC = 0x38, IMSC_RECEIVE = 1 << 4 | 1 << 6 };

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

uint32_t uart_read(uint32_t uart, uint8_t *to, uint32_t bytes)
{
	uint32_t got = 0, lost = 0;

	if (!(REGISTER(uart + IMSC) & IMSC_RECEIVE)) {
		REGISTER(uart + LCR_H) |= LCR_H_FIFO;
		REGISTER(uart + CR) = CR_TRANSMIT | CR_RECEIVE;
		REGISTER(uart + IMSC) = IMSC_RECEIVE;
	}
	while (got < bytes && !(REGISTER(uart + FR) & FR_EMPTY)) {
		uint32_t value = REGISTER(uart + DR);
		if (value & DR_OVERRUN)
			lost = MACHINE_READ_LOST;
		to[got++] = (uint8_t)value;
	}
	return got | lost;
}
