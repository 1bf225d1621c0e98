// What the core says, in a stretch of shared memory: text in order, ended by a zero, which Linux shows as the core's trace.
//
// The other side may write there, too, so nothing is read back: where the text ends is known here alone.
#include "bare-metal.h"
#include "board.h"

#include <string.h>

#ifdef BOARD_TRACE_BYTES
static uint32_t used;

void trace_start(void)
{
	memset((void *)BOARD_TRACE_ADDRESS, 0, BOARD_TRACE_BYTES);
	used = 0;
}

void trace_write(const char *text, size_t bytes)
{
	char *to = (char *)BOARD_TRACE_ADDRESS;

	for (size_t at = 0; at < bytes; at++) {
		// Full: the text begins anew, so that what is read is always in order.
		if (used == BOARD_TRACE_BYTES - 1)
			trace_start();
		to[used++] = text[at];
	}
}
#endif
