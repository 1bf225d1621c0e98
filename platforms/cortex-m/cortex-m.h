// What the Cortex-M files have in common: start-up, serial line, timer, and what a machine file adds.
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include "machine.h"

// A stack as the linker script places it; its unused part keeps the paint of start-up.
struct stack {
	uint32_t *low;
	uint32_t *high;
};

// Supplied by the machine file: goes on after start-up, on the driver's or the core's own stack.
_Noreturn void machine_main(void);
// Supplied by the machine file: an interrupt line of the NVIC fired.
void machine_line(uint32_t line);
// Supplied by the machine file: the last lines before the program ends.
void machine_report(void);
// Ends the program unless the core is set up as the bundle needs it.
void machine_check(void);
// The most bytes of a painted stack that were ever in use; 0 when its core never started.
uint32_t stack_peak(struct stack stack);
void stack_paint(struct stack stack);
// Prints "# <side>-stack-peak <bytes>".
void stack_report(const char *side, struct stack stack);

void uart_start(uint32_t uart);
void uart_write(uint32_t uart, const char *text, size_t bytes);

void timer_start(uint32_t timer);
uint64_t timer_ticks(void);
// Microseconds since timer_start.
uint64_t timer_microseconds(void);
uint32_t timer_instructions_per_tick(void);
// Makes the SysTick interrupt pending once, at this time or as late before it as its 24 bits reach.
void timer_alarm(uint64_t until);
void timer_alarm_off(void);

#endif
