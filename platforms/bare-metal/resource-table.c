// The resource table that Linux's remoteproc reads from the image: the shared windows as carveouts, and the trace buffer.
#include "board.h"

#include <stdint.h>

enum { TYPE_CARVEOUT = 0, TYPE_TRACE = 2, NAME_BYTES = 32 };

struct carveout {
	uint32_t type;
	uint32_t device_address; // as this core sees it
	uint32_t physical_address;
	uint32_t bytes;
	uint32_t flags;
	uint32_t reserved;
	char name[NAME_BYTES];
};

struct trace {
	uint32_t type;
	uint32_t device_address;
	uint32_t bytes;
	uint32_t reserved;
	char name[NAME_BYTES];
};

#define CARVEOUT(name, cpu, driver, bytes) { TYPE_CARVEOUT, cpu, driver, bytes, 0, 0, name },
static const struct carveout carveouts_only[] = { BOARD_CARVEOUTS };
enum { CARVEOUTS = sizeof carveouts_only / sizeof *carveouts_only };

static const struct {
	uint32_t version;
	uint32_t entries;
	uint32_t reserved[2];
	uint32_t offsets[CARVEOUTS + 1];
	struct carveout carveouts[CARVEOUTS];
	struct trace trace;
} table __attribute__((section(".resource_table"), used)) = {
	.version = 1,
	.entries = CARVEOUTS + 1,
	.offsets = { BOARD_RESOURCE_OFFSETS },
	.carveouts = { BOARD_CARVEOUTS },
	.trace = { TYPE_TRACE, BOARD_TRACE_ADDRESS, BOARD_TRACE_BYTES, 0, "vmsg" },
};
