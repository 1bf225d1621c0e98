// The host as a machine: one Linux process, both sides as coroutines, a virtual clock, windows in anonymous memory or a file.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "board.h"
#include "natives.h"
#include "pair.h"
#include "process.h"

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

static uint64_t now;

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

static void prepare(enum machine_side side, void (*entry)(void), const char *bundle, size_t stack, size_t heap)
{
	sides[side].bundle = process_load(bundle);
	sides[side].heap = (struct machine_area){ process_map(NULL, heap), (uint32_t)heap };
	sides[side].stack = process_map(NULL, stack);
	getcontext(&sides[side].context);
	sides[side].context.uc_stack.ss_sp = sides[side].stack;
	sides[side].context.uc_stack.ss_size = stack;
	makecontext(&sides[side].context, entry, 0);
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
			heap = process_count(argv[at + 1], argv[at], 4096, 1u << 30);
		} else if (strcmp(argv[at], "--seed") == 0) {
			process_seed((uint32_t)process_count(argv[at + 1], argv[at], 0, UINT32_MAX));
		} else {
			process_give_up("unknown option", argv[at]);
		}
	}
	if (argc - at != 2)
		process_give_up("usage:", "vmsg-host [--memory FILE] [--heap BYTES] [--seed N] device.js driver.js");

	// The shared windows lie one behind the other in the file; a private one has its place already.
	size_t bytes = 0;
	for (uint32_t window = 0; window < machine_window_count; window++)
		if (machine_windows[window].base == NULL)
			bytes += machine_windows[window].bytes;
	uint8_t *base = process_map(memory, bytes);
	for (uint32_t window = 0; window < machine_window_count; window++) {
		if (machine_windows[window].base != NULL)
			continue;
		machine_windows[window].base = base;
		base += machine_windows[window].bytes;
	}
	prepare(MACHINE_DEVICE, pair_enter, argv[at], BOARD_DEVICE_STACK, heap ? heap : BOARD_DEVICE_HEAP);
	prepare(MACHINE_DRIVER, pair_start, argv[at + 1], BOARD_DRIVER_STACK, heap ? heap : BOARD_DRIVER_HEAP);
	setcontext(&sides[MACHINE_DRIVER].context);
	process_give_up("cannot start", "the driver's side");
}
