// A serial line that is a stretch of shared memory: text in order, ended by a zero, which Linux shows as the core's trace.
//
// The other side may write there, too, so nothing is read back: where the text ends is known here alone.
#include "bare-metal.h"
#include "board.h"

#include <string.h>

static uint32_t used;

void uart_start(uint32_t buffer)
{
	memset((void *)(uintptr_t)buffer, 0, BOARD_TRACE_BYTES);
	used = 0;
}

void uart_write(uint32_t buffer, const char *text, size_t bytes)
{
	char *to = (char *)(uintptr_t)buffer;

	for (size_t at = 0; at < bytes; at++) {
		// Full: the text begins anew, so that what is read is always in order.
		if (used == BOARD_TRACE_BYTES - 1)
			uart_start(buffer);
		to[used++] = text[at];
	}
}
