// A machine that runs both sides on one Cortex-M core, as two coroutines with a stack each.
#include "bare-metal.h"
#include "board.h"
#include "natives.h"
#include "pair.h"
#include "seeded-random.h"

// STACK_RESERVE as in machine-own.c.
enum { STACK_RESERVE = 4096, SAVED_REGISTERS = 10 };

BOARD_PRIVATE_WINDOW
struct machine_window machine_windows[] = BOARD_WINDOWS;
const uint32_t machine_window_count = sizeof machine_windows / sizeof *machine_windows;

extern uint32_t main_stack_low[], main_stack_high[], main_heap_start[], main_heap_end[];
extern uint32_t second_stack_low[], second_stack_high[], second_heap_start[], second_heap_end[];
extern const char bundle_main[], bundle_main_end[], bundle_second[], bundle_second_end[];

// The driver starts on the main stack and is called `main` in the linker script; the device is `second`.
static const struct {
	struct stack stack;
	uint32_t *heap, *heap_end;
	const char *bundle, *bundle_end, *name;
	uint32_t uart;
} sides[MACHINE_SIDES] = {
	[MACHINE_DRIVER] = { { main_stack_low, main_stack_high }, main_heap_start, main_heap_end,
			     bundle_main, bundle_main_end, "driver.js", BOARD_UART_DRIVER },
	[MACHINE_DEVICE] = { { second_stack_low, second_stack_high }, second_heap_start, second_heap_end,
			     bundle_second, bundle_second_end, "device.js", BOARD_UART_DEVICE },
};

static uint32_t *saved[MACHINE_SIDES];

// In context.S: pushes the callee's registers, leaves the stack pointer in *save, takes `load`, pops.
void context_switch(uint32_t **save, uint32_t *load);

void pair_switch(enum machine_side from, enum machine_side to)
{
	context_switch(&saved[from], saved[to]);
}

uint64_t pair_now(void)
{
	return timer_microseconds();
}

// The timer moves by itself.
void pair_step(void)
{
}

// Both sides sleep, so nothing but the alarm can fire.
void pair_sleep(uint64_t until)
{
	while (timer_microseconds() < until) {
		timer_alarm(until);
		__asm volatile("dsb\n wfi\n cpsie i\n isb\n cpsid i" : : : "memory");
	}
	timer_alarm_off();
}

void machine_line(uint32_t line)
{
	(void)line;
	natives_fatal("an interrupt came that board.json does not name");
}

struct machine_area machine_heap(void)
{
	enum machine_side side = machine_side();

	return (struct machine_area){ sides[side].heap,
				      (uint32_t)((uintptr_t)sides[side].heap_end - (uintptr_t)sides[side].heap) };
}

struct machine_bundle machine_bundle(void)
{
	enum machine_side side = machine_side();

	return (struct machine_bundle){ sides[side].bundle, (size_t)(sides[side].bundle_end - sides[side].bundle),
					sides[side].name };
}

bool machine_stack_low(void)
{
	return (uint32_t)__builtin_frame_address(0) < (uint32_t)sides[machine_side()].stack.low + STACK_RESERVE;
}

uint32_t machine_random(uint8_t *to, uint32_t bytes)
{
	seeded_random_fill(to, bytes);
	return bytes;
}

void machine_write(const char *text, size_t bytes)
{
	uart_write(sides[machine_side()].uart, text, bytes);
}

void machine_write_error(const char *text, size_t bytes)
{
	machine_write(text, bytes);
}

void machine_report(void)
{
	stack_report("driver", sides[MACHINE_DRIVER].stack);
	stack_report("device", sides[MACHINE_DEVICE].stack);
}

void machine_main(void)
{
	uart_start(BOARD_UART_DRIVER);
	uart_start(BOARD_UART_DEVICE);
	timer_start(BOARD_TIMER);
	machine_check();
	stack_paint(sides[MACHINE_DEVICE].stack);
	saved[MACHINE_DEVICE] = sides[MACHINE_DEVICE].stack.low + BOARD_DEVICE_STACK / 4 - SAVED_REGISTERS;
	// The popped program counter; bit 0 is the Thumb bit that a function's address carries.
	saved[MACHINE_DEVICE][SAVED_REGISTERS - 1] = (uint32_t)pair_enter;
	pair_start();
}
