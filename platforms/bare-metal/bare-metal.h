// What cores without an operating system have in common, and what the files of a core, a board and a machine add.
#ifndef BARE_METAL_H
#define BARE_METAL_H

#include "machine.h"

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

// A stack as the linker script places it; its unused part keeps the paint of start-up.
struct stack {
	uint32_t *low;
	uint32_t *high;
};

// Supplied by the machine file: goes on after start-up, on the driver's or the core's own stack.
_Noreturn void machine_main(void);
// Supplied by the machine file: an interrupt line of board.json, or one that should not have come.
void machine_line(uint32_t line);
// Supplied by the machine file: the last lines before the program ends.
void machine_report(void);

// Supplied by the core's start-up: asks the emulator or debugger for semihosting operation `number`.
void core_semihosting(uint32_t number, const uint32_t *block);
// Supplied by the core's start-up: ends the program unless the core is set up as the bundle needs it.
void machine_check(void);

// Supplied by the core's interrupt controller: this core's lines, by the numbers of board.json. A line that was masked and
// is not asserted any more when it is unmasked does not fire.
void line_mask(uint32_t line);
void line_unmask(uint32_t line);

// The most bytes of a painted stack that were ever in use; 0 when its core never started.
uint32_t stack_peak(struct stack stack);
void stack_paint(struct stack stack);
// Prints "# <side>-stack-peak <bytes>".
void stack_report(const char *side, struct stack stack);
// Paints the main stack below the caller's frame, sets the image's variables to their start values, goes on in machine_main.
_Noreturn void image_begin(void);

// Supplied by the board's serial line.
void uart_start(uint32_t uart);
void uart_write(uint32_t uart, const char *text, size_t bytes);
// As machine_read. Reception begins with the first call; the line's interrupt is asserted from the next byte on that this call did not take.
// Only called on boards whose board.json names that interrupt.
uint32_t uart_read(uint32_t uart, uint8_t *to, uint32_t bytes);

// Supplied by resource-table.c, for boards whose board.json has a trace: false when a loader gave the shared windows another
// place than the one that this image was linked for. They belong to somebody else then.
bool resource_table_holds(void);
// Supplied by trace-buffer.c, for the same boards.
void trace_start(void);
void trace_write(const char *text, size_t bytes);

// Supplied by the board's timer: a counter of 32 bits that counts up at BOARD_TIMER_HERTZ, and an interrupt that ends a sleep.
void counter_start(uint32_t timer);
uint32_t counter_read(void);
// The interrupt becomes pending once, in `ticks` of the counter or as late before that as the timer reaches.
void counter_alarm(uint64_t ticks);
void counter_alarm_off(void);

void timer_start(uint32_t timer);
// Microseconds since timer_start.
uint64_t timer_microseconds(void);
// Makes the alarm's interrupt pending once, at this time or as late before it as the timer reaches.
void timer_alarm(uint64_t until);
void timer_alarm_off(void);

#endif
