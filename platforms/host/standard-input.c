// Standard input as the serial line of a process whose time is real: read when the bundle asks, never waited for.
#include "standard-input.h"

#include <poll.h>
#include <unistd.h>

#include "machine.h"

static bool awaited, ended;

int standard_input(void)
{
	return awaited ? STDIN_FILENO : -1;
}

void standard_input_came(void)
{
	awaited = false;
}

uint32_t machine_read(uint8_t *to, uint32_t bytes)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t got = 0;

	if (!ended && poll(&in, 1, 0) > 0) {
		got = read(STDIN_FILENO, to, bytes);
		// Its end, or none was given to the process.
		ended = got <= 0;
	}
	awaited = !ended && (uint32_t)got < bytes;
	return got > 0 ? (uint32_t)got : 0;
}
