// The memory of an image: variables get their start values, stacks are painted and measured, and newlib gets no heap; and its end.
#include "bare-metal.h"
#include "board.h"
#include "text.h"

#include <string.h>

enum { STACK_PAINT = (int)0xa5c3a5c3 };

extern uint32_t image_data_load[], image_data_start[], image_data_end[], image_bss_start[], image_bss_end[];
extern uint32_t main_stack_low[];

void stack_paint(struct stack stack)
{
	for (uint32_t *word = stack.low; word < stack.high; word++)
		*word = (uint32_t)STACK_PAINT;
}

uint32_t stack_peak(struct stack stack)
{
	uint32_t *word = stack.low;

	if (*word == 0)
		return 0;
	while (word < stack.high && *word == (uint32_t)STACK_PAINT)
		word++;
	return (uint32_t)((uintptr_t)stack.high - (uintptr_t)word);
}

void stack_report(const char *side, struct stack stack)
{
	struct text line = { .length = 0 };

	text_string(&line, "# ");
	text_string(&line, side);
	text_string(&line, "-stack-peak ");
	text_decimal(&line, stack_peak(stack));
	text_string(&line, "\n");
	machine_write(line.bytes, line.length);
}

void image_begin(void)
{
	stack_paint((struct stack){ main_stack_low, (uint32_t *)__builtin_frame_address(0) - 16 });
	memcpy(image_data_start, image_data_load, (uintptr_t)image_data_end - (uintptr_t)image_data_start);
	memset(image_bss_start, 0, (uintptr_t)image_bss_end - (uintptr_t)image_bss_start);
	machine_main();
}

void machine_end(int status)
{
	if (machine_side() == MACHINE_DRIVER)
		machine_report();
#if BOARD_SEMIHOSTING
	// SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit.
	core_semihosting(0x20, (const uint32_t[]){ 0x20026, (uint32_t)status });
#else
	(void)status;
#endif
	for (;;)
		__asm volatile("wfi");
}

// newlib calls this when its own malloc needs memory. There is none: only the engine has a heap, and it uses heap.c.
void *_sbrk(ptrdiff_t bytes);

void *_sbrk(ptrdiff_t bytes)
{
	(void)bytes;
	return (void *)-1;
}
