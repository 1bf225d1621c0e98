// The host as a machine: one Linux process, both sides as coroutines, a virtual clock, windows in anonymous memory or a file.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include "board.h"
#include "natives.h"
#include "pair.h"
#include "seeded-random.h"

// How much C stack the engine may no longer count on when a side's stack runs down: one native and a message.
enum { STACK_RESERVE = 16384 };

BOARD_PRIVATE_WINDOW
struct machine_window machine_windows[] = BOARD_WINDOWS;
const uint32_t machine_window_count = sizeof machine_windows / sizeof *machine_windows;

static struct {
	ucontext_t context;
	uint8_t *stack;
	struct machine_area heap;
	struct machine_bundle bundle;
} sides[MACHINE_SIDES];

static bool seeded;
static uint64_t now;

static _Noreturn void give_up(const char *what, const char *which)
{
	fprintf(stderr, "vmsg-host: %s %s\n", what, which);
	exit(64);
}

uint64_t pair_now(void)
{
	return now;
}

void pair_step(void)
{
	now++;
}

void pair_sleep(uint64_t until)
{
	if (until > now)
		now = until;
}

void pair_switch(enum machine_side from, enum machine_side to)
{
	swapcontext(&sides[from].context, &sides[to].context);
}

struct machine_area machine_heap(void)
{
	return sides[machine_side()].heap;
}

struct machine_bundle machine_bundle(void)
{
	return sides[machine_side()].bundle;
}

bool machine_stack_low(void)
{
	return (uint8_t *)__builtin_frame_address(0) < sides[machine_side()].stack + STACK_RESERVE;
}

uint32_t machine_random(uint8_t *to, uint32_t bytes)
{
	if (seeded) {
		seeded_random_fill(to, bytes);
		return bytes;
	}
	ssize_t placed = getrandom(to, bytes, GRND_NONBLOCK);
	return placed < 0 ? 0 : (uint32_t)placed;
}

void machine_barrier(void)
{
	__sync_synchronize();
}

// Processes share one coherent memory.
void machine_clean(const void *from, uint32_t bytes)
{
	(void)from;
	(void)bytes;
}

void machine_invalidate(const void *from, uint32_t bytes)
{
	(void)from;
	(void)bytes;
}

// A host's time says nothing about a coprocessor's, so busy time is not counted here.
uint64_t machine_ticks(void)
{
	return 0;
}

uint32_t machine_instructions_per_tick(void)
{
	return 0;
}

uint32_t machine_clock(void)
{
	return (uint32_t)now & 0x7ffffff;
}

void machine_write(const char *text, size_t bytes)
{
	fwrite(text, 1, bytes, machine_side() == MACHINE_DRIVER ? stdout : stderr);
}

void machine_write_error(const char *text, size_t bytes)
{
	fflush(stdout);
	fwrite(text, 1, bytes, stderr);
}

void machine_end(int status)
{
	fflush(stdout);
	exit(status & 0xff);
}

static uint8_t *map(const char *file, size_t bytes)
{
	int descriptor = -1;

	if (file) {
		struct stat status;
		descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (descriptor < 0 || fstat(descriptor, &status) < 0 ||
		    (status.st_size < (off_t)bytes && ftruncate(descriptor, (off_t)bytes) < 0))
			give_up("cannot use the memory file", file);
	}
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
			  descriptor, 0);
	if (base == MAP_FAILED)
		give_up("no memory for", file ? file : "the windows, heaps and stacks");
	return base;
}

static struct machine_bundle load(const char *file)
{
	FILE *stream = fopen(file, "rb");
	struct stat status;

	if (stream == NULL || fstat(fileno(stream), &status) < 0)
		give_up("cannot read the bundle", file);
	char *text = malloc((size_t)status.st_size + 1);
	if (text == NULL || fread(text, 1, (size_t)status.st_size, stream) != (size_t)status.st_size)
		give_up("cannot read the bundle", file);
	fclose(stream);
	const char *slash = strrchr(file, '/');
	return (struct machine_bundle){ text, (size_t)status.st_size, slash ? slash + 1 : file };
}

static void prepare(enum machine_side side, void (*entry)(void), const char *bundle, size_t stack, size_t heap)
{
	sides[side].bundle = load(bundle);
	sides[side].heap = (struct machine_area){ map(NULL, heap), (uint32_t)heap };
	sides[side].stack = map(NULL, stack);
	getcontext(&sides[side].context);
	sides[side].context.uc_stack.ss_sp = sides[side].stack;
	sides[side].context.uc_stack.ss_size = stack;
	makecontext(&sides[side].context, entry, 0);
}

static unsigned long count(const char *text, const char *option, unsigned long least, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (*text == '-' || end == text || *end || value < least || value > most)
		give_up("this option has no usable number:", option);
	return value;
}

int main(int argc, char **argv)
{
	const char *memory = NULL;
	unsigned long heap = 0;
	int at = 1;

	for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
		if (strcmp(argv[at], "--memory") == 0) {
			memory = argv[at + 1];
		} else if (strcmp(argv[at], "--heap") == 0) {
			heap = count(argv[at + 1], argv[at], 4096, 1u << 30);
		} else if (strcmp(argv[at], "--seed") == 0) {
			seeded_random_start((uint32_t)count(argv[at + 1], argv[at], 0, UINT32_MAX));
			seeded = true;
		} else {
			give_up("unknown option", argv[at]);
		}
	}
	if (argc - at != 2)
		give_up("usage:", "vmsg-host [--memory FILE] [--heap BYTES] [--seed N] device.js driver.js");

	// The shared windows lie one behind the other in the file; a private one has its place already.
	size_t bytes = 0;
	for (uint32_t window = 0; window < machine_window_count; window++)
		if (machine_windows[window].base == NULL)
			bytes += machine_windows[window].bytes;
	uint8_t *base = map(memory, bytes);
	for (uint32_t window = 0; window < machine_window_count; window++) {
		if (machine_windows[window].base != NULL)
			continue;
		machine_windows[window].base = base;
		base += machine_windows[window].bytes;
	}
	prepare(MACHINE_DEVICE, pair_enter, argv[at], BOARD_DEVICE_STACK, heap ? heap : BOARD_DEVICE_HEAP);
	prepare(MACHINE_DRIVER, pair_start, argv[at + 1], BOARD_DRIVER_STACK, heap ? heap : BOARD_DRIVER_HEAP);
	setcontext(&sides[MACHINE_DRIVER].context);
	give_up("cannot start", "the driver's side");
}
