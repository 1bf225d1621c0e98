// A Linux process as one side: windows are stretches of files between guard pages, time is real, signals stop the loop.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "natives.h"
#include "process.h"
#include "runner.h"

// Windows and layout places one process can have, and the C stack the engine may no longer count on.
enum { WINDOWS = 16, LAYOUTS = 2, STACK_RESERVE = 16384, MOST_WINDOW = 1 << 27, PRIVATE_WINDOW = 1 << 22 };

// What the start-up register of a window says of it.
enum { WINDOW_HIDDEN = 0, WINDOW_SHARED = 1, WINDOW_PRIVATE = 2 };

// The register blocks, see registers.hot.ts.
enum { BLOCK_DOORBELL, BLOCK_START_UP, BLOCK_TRACE };
enum { START_UP_WINDOWS = 0x0, START_UP_LAYOUTS = 0x4, START_UP_WINDOW = 0x100, START_UP_LAYOUT = 0x800 };
enum { TRACE_SELECT = 0x0, TRACE_PRINT = 0x4 };

// A row of 0 bytes is no window.
struct machine_window machine_windows[WINDOWS];
const uint32_t machine_window_count = WINDOWS;

static struct {
	uint64_t address;
	uint32_t kind;
} window_places[WINDOWS];
static struct {
	uint32_t window, offset;
} layouts[LAYOUTS];
static uint32_t windows, layout_count, trace_select;

static enum machine_side side = MACHINE_SIDES;
static struct machine_area heap;
static struct machine_bundle bundle;
static uint8_t *stack_low;

enum machine_side machine_side(void)
{
	return side;
}

struct machine_area machine_heap(void)
{
	return heap;
}

struct machine_bundle machine_bundle(void)
{
	return bundle;
}

bool machine_stack_low(void)
{
	return (uint8_t *)__builtin_frame_address(0) < stack_low + STACK_RESERVE;
}

uint32_t machine_idle(uint32_t limit)
{
	return doorbell_wait(limit);
}

uint32_t machine_clock(void)
{
	struct timespec now;

	// One clock for all processes: both sides' times can be compared.
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)((uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000) & 0x7ffffff;
}

static uint32_t start_up_register(uint32_t offset)
{
	if (offset == START_UP_WINDOWS)
		return windows;
	if (offset == START_UP_LAYOUTS)
		return layout_count;
	uint32_t window = (offset - START_UP_WINDOW) / 16, layout = (offset - START_UP_LAYOUT) / 8;
	if (offset >= START_UP_WINDOW && window < windows) {
		uint64_t address = window_places[window].address;
		uint32_t values[] = { (uint32_t)address, (uint32_t)(address >> 32), machine_windows[window].bytes,
				      window_places[window].kind };
		return values[offset / 4 % 4];
	}
	if (offset >= START_UP_LAYOUT && layout < layout_count)
		return offset & 4 ? layouts[layout].offset : layouts[layout].window;
	natives_fatal("a register was read that this machine does not have");
}

uint32_t machine_register_read(uint32_t block, uint32_t offset)
{
	if (block == BLOCK_START_UP)
		return start_up_register(offset);
	natives_fatal("a register was read that this machine does not have");
}

// Prints "< CLOCK WINDOW BYTES" or "> CLOCK WINDOW BYTES": a range of a window in hexadecimal digits.
static void trace(uint32_t offset, bool incoming)
{
	uint32_t window = trace_select & 0xffff, bytes = trace_select >> 16;
	char line[32 + 2 * 256];

	if (window >= WINDOWS || bytes > 256 || offset > machine_windows[window].bytes ||
	    bytes > machine_windows[window].bytes - offset)
		natives_fatal("a trace was given a range outside its window");
	int length = snprintf(line, sizeof line, "%c %u %u ", incoming ? '>' : '<', machine_clock(), window);
	for (uint32_t at = 0; at < bytes; at++)
		length += sprintf(line + length, "%02x", machine_windows[window].base[offset + at]);
	line[length++] = '\n';
	machine_write(line, (size_t)length);
}

void machine_register_write(uint32_t block, uint32_t offset, uint32_t value)
{
	if (block == BLOCK_DOORBELL && offset == 0)
		doorbell_ring();
	else if (block == BLOCK_TRACE && offset == TRACE_SELECT)
		trace_select = value;
	else if (block == BLOCK_TRACE && offset == TRACE_PRINT)
		trace(value & 0x7fffffff, value >> 31);
	else
		natives_fatal("a register was written that this machine does not have");
}

void machine_write(const char *text, size_t bytes)
{
	fwrite(text, 1, bytes, stdout);
}

void machine_write_error(const char *text, size_t bytes)
{
	fflush(stdout);
	fwrite(text, 1, bytes, stderr);
}

void machine_end(int status)
{
	doorbell_close();
	fflush(stdout);
	exit(status & 0xff);
}

// The other side is another process: this one has nothing left to do.
void machine_park(void)
{
	machine_end(0);
}

// A window's file became shorter than the window, or something ran into a guard page.
static void on_fault(int signal)
{
	static const char text[] = "fatal: a window's memory is gone (its file was cut), or a guard page was touched\n";

	(void)signal;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(3);
}

// Maps `bytes` bytes of a file from `offset` on, or zeroed memory of our own for descriptor -1, with a page that nobody may
// touch on either side.
static uint8_t *map(int descriptor, uint64_t offset, size_t bytes, const char *what)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = offset % page;
	size_t length = (inside + bytes + page - 1) / page * page;
	int flags = descriptor < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	uint8_t *base = mmap(NULL, length + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED ||
	    mmap(base + page, length, PROT_READ | PROT_WRITE, flags | MAP_FIXED, descriptor, (off_t)(offset - inside)) == MAP_FAILED)
		process_give_up("cannot map", what);
	return base + page + inside;
}

static uint8_t *map_file(const char *file, uint64_t offset, size_t bytes)
{
	struct stat status;
	int descriptor = open(file, O_RDWR | O_CLOEXEC);

	if (descriptor < 0 || fstat(descriptor, &status) < 0)
		process_give_up("cannot open the window's file", file);
	if (S_ISREG(status.st_mode) && (uint64_t)status.st_size < offset + bytes)
		process_give_up("a window reaches beyond the end of", file);
	uint8_t *base = map(descriptor, offset, bytes, file);
	close(descriptor);
	return base;
}

static void add_window(char **words)
{
	// The last place is kept for the private window.
	if (windows == WINDOWS - 1)
		process_give_up("too many windows: the last one is of", words[0]);
	uint64_t offset = process_count(words[1], "--window OFFSET", 0, INT64_MAX);
	uint32_t bytes = (uint32_t)process_count(words[2], "--window BYTES", 16, MOST_WINDOW);
	bool shared = strcmp(words[3], "-") != 0;
	if (offset % 16 || bytes % 16)
		process_give_up("a window's offset and size are multiples of 16:", words[0]);
	window_places[windows].kind = shared ? WINDOW_SHARED : WINDOW_HIDDEN;
	window_places[windows].address = shared ? process_count(words[3], "--window ADDRESS", 0, UINT64_MAX) : 0;
	machine_windows[windows++] = (struct machine_window){ map_file(words[0], offset, bytes), bytes };
}

// The device's own memory, behind the windows of the options.
static void add_private_window(void)
{
	window_places[windows].kind = WINDOW_PRIVATE;
	machine_windows[windows++] = (struct machine_window){ map(-1, 0, PRIVATE_WINDOW, "the private window"), PRIVATE_WINDOW };
}

static void add_layout(char **words)
{
	if (layout_count == LAYOUTS)
		process_give_up("too many layouts: the last one is in window", words[0]);
	layouts[layout_count].window = (uint32_t)process_count(words[0], "--layout WINDOW", 0, WINDOWS - 1);
	layouts[layout_count++].offset = (uint32_t)process_count(words[1], "--layout OFFSET", 0, MOST_WINDOW);
}

// The options and how many words follow each.
static const struct {
	const char *name;
	int words;
} options[] = {
	{ "--side", 1 }, { "--window", 4 }, { "--layout", 2 }, { "--doorbell", 1 },
	{ "--heap", 1 }, { "--seed", 1 }, { "--with-parent", 0 },
};
enum { SIDE, WINDOW, LAYOUT, DOORBELL_KIND, HEAP, SEED, WITH_PARENT, OPTIONS };

int main(int argc, char **argv)
{
	const char *doorbell = "poll";
	size_t heap_bytes = 0;
	int at = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (at < argc && argv[at][0] == '-') {
		int option = 0;
		while (option < OPTIONS && strcmp(argv[at], options[option].name))
			option++;
		if (option == OPTIONS)
			process_give_up("unknown option", argv[at]);
		char **words = argv + at + 1;
		at += 1 + options[option].words;
		if (at > argc)
			process_give_up("too few words behind", options[option].name);
		switch (option) {
		case SIDE:
			if (strcmp(words[0], "device") && strcmp(words[0], "driver"))
				process_give_up("a side is device or driver, not", words[0]);
			side = strcmp(words[0], "device") ? MACHINE_DRIVER : MACHINE_DEVICE;
			break;
		case WINDOW:
			add_window(words);
			break;
		case LAYOUT:
			add_layout(words);
			break;
		case DOORBELL_KIND:
			doorbell = words[0];
			break;
		case HEAP:
			heap_bytes = process_count(words[0], "--heap", 4096, 1u << 30);
			break;
		case SEED:
			process_seed((uint32_t)process_count(words[0], "--seed", 0, UINT32_MAX));
			break;
		case WITH_PARENT:
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			break;
		}
	}
	if (argc - at != 1 || side == MACHINE_SIDES || layout_count == 0)
		process_give_up("usage:", "vmsg-host-shm --side device|driver --window FILE OFFSET BYTES ADDRESS|- ... "
					  "--layout WINDOW OFFSET [--doorbell KIND] [--heap BYTES] [--seed N] [--with-parent] bundle.js");
	for (uint32_t layout = 0; layout < layout_count; layout++)
		if (layouts[layout].window >= windows)
			process_give_up("a layout lies in a window that is not there:", "--layout");
	bundle = process_load(argv[at]);
	if (heap_bytes == 0)
		heap_bytes = side == MACHINE_DEVICE ? BOARD_DEVICE_HEAP : BOARD_DRIVER_HEAP;
	if (side == MACHINE_DEVICE)
		add_private_window();
	heap = (struct machine_area){ process_map(NULL, heap_bytes), (uint32_t)heap_bytes };
	stack_low = (uint8_t *)__builtin_frame_address(0) -
		    (side == MACHINE_DEVICE ? BOARD_DEVICE_STACK : BOARD_DRIVER_STACK);
	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	doorbell_open(doorbell);
	engine_run();
}
