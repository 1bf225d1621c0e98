// The resource table that Linux's remoteproc reads from the image and writes back: shared windows as carveouts, the trace buffer.
#include "bare-metal.h"
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

#ifdef BOARD_CARVEOUTS
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

#if BOARD_TABLE_METADATA
enum { MAGIC = 0x78616d70 }; // "xamp"

static const struct {
	uint32_t version;
	uint32_t magic;
	uint32_t not_magic;
	uint32_t bytes;
	const void *table;
	uint32_t table_high; // a pointer of the side that reads has 64 bits
} metadata __attribute__((section(".resource_table_metadata"), used)) = { 1, MAGIC, ~(uint32_t)MAGIC, sizeof table, &table, 0 };
#endif

// The physical address says where remoteproc has put memory of its own, which is no matter here; the device address and the length
// become those of the reserved memory that the carveout was found in.
bool resource_table_holds(void)
{
	const volatile struct carveout *written = table.carveouts;

	for (uint32_t at = 0; at < CARVEOUTS; at++) {
		uint32_t from = written[at].device_address, bytes = written[at].bytes;
		uint32_t before = carveouts_only[at].device_address - from;

		if (carveouts_only[at].device_address < from || before > bytes || carveouts_only[at].bytes > bytes - before)
			return false;
	}
	return true;
}
#endif
