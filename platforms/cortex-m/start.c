// Start-up of a Cortex-M image: first registers, vector table, interrupt lines, faults. Nothing is trusted from an earlier run.
#include "board.h"
#include "core.h"
#include "natives.h"
#include "text.h"

enum { LINES = 128 };

extern uint32_t main_stack_low[], main_stack_high[];

// Faults run on their own stack: the one in use may be what failed.
static uint32_t fault_stack[128] __attribute__((used));

extern uint32_t vectors[];

#define BOOT_WRITE(address, value) { address, value },
static const struct { uint32_t address, value; } boot_writes[] __attribute__((section(".boot.writes"), used)) = { BOARD_BOOT_WRITES };

static void begin(void) __attribute__((used, noreturn));

static void begin(void)
{
	// A boot loader, or a debugger, may have started the core elsewhere.
	SCB_VTOR = (uint32_t)vectors;
	memory_start();
	image_begin();
}

// Uses no memory but its own before the first registers are written: that may be what makes the rest reachable.
__attribute__((naked, noreturn, section(".boot"))) static void reset(void)
{
	__asm volatile("cpsid i\n"
		       "ldr r0, =boot_writes_low\n"
		       "ldr r1, =boot_writes_high\n"
		       "1: cmp r0, r1\n"
		       "bhs 2f\n"
		       "ldmia r0!, {r2, r3}\n"
		       "str r3, [r2]\n"
		       "b 1b\n"
		       "2: dsb\n"
		       "isb\n"
		       "ldr r0, =main_stack_high\n"
		       "mov sp, r0\n"
#if __ARM_ARCH >= 8
		       "ldr r0, =main_stack_low\n"
		       "msr msplim, r0\n"
#endif
		       "ldr r0, =begin\n"
		       "bx r0");
}

static void describe_fault(const uint32_t *frame, uint32_t exception) __attribute__((used, noreturn));

static void describe_fault(const uint32_t *frame, uint32_t exception)
{
	struct text line = { .length = 0 };
	struct { const char *name; uint32_t value; } values[] = {
		{ " cfsr=", SCB_CFSR }, { " hfsr=", SCB_HFSR }, { " mmfar=", SCB_MMFAR }, { " bfar=", SCB_BFAR },
		{ " sp=", (uint32_t)frame },
		// The frame's place is not to be trusted after a stack fault.
		{ " lr=", frame >= main_stack_low && frame + 8 <= main_stack_high ? frame[5] : 0 },
		{ " pc=", frame >= main_stack_low && frame + 8 <= main_stack_high ? frame[6] : 0 },
	};

	text_string(&line, "the processor took exception ");
	text_decimal(&line, exception);
	for (unsigned at = 0; at < sizeof values / sizeof *values; at++) {
		text_string(&line, values[at].name);
		text_hex(&line, values[at].value);
	}
	line.bytes[line.length < sizeof line.bytes ? line.length : sizeof line.bytes - 1] = '\0';
	natives_fatal(line.bytes);
}

__attribute__((naked)) static void fault(void)
{
	__asm volatile("mrs r0, msp\n"
		       "mrs r1, ipsr\n"
#if __ARM_ARCH >= 8
		       "movs r2, #0\n"
		       "msr msplim, r2\n"
#endif
		       "ldr r2, =fault_stack + 512\n"
		       "mov sp, r2\n"
		       "b describe_fault");
}

void line_mask(uint32_t line)
{
	NVIC_ICER(line / 32) = 1u << line % 32;
}

// Lines are levels: one that is still asserted stays pending, one that was acknowledged does not fire again.
void line_unmask(uint32_t line)
{
	NVIC_ICPR(line / 32) = 1u << line % 32;
	NVIC_ISER(line / 32) = 1u << line % 32;
}

static void line(void)
{
	machine_line((SCB_ICSR & 0x1ff) - EXCEPTION_LINE_0);
}

__attribute__((section(".vectors"), used)) static void (*const vector_table[EXCEPTION_LINE_0 + LINES])(void) = {
	[0] = (void (*)(void))(uintptr_t)main_stack_high,
	[1] = reset,
	[2 ... 14] = fault,
	[EXCEPTION_SYSTICK] = systick,
	[EXCEPTION_LINE_0 ... EXCEPTION_LINE_0 + LINES - 1] = line,
};

void core_semihosting(uint32_t number, const uint32_t *block)
{
	register uint32_t operation __asm("r0") = number;
	register uint32_t argument __asm("r1") = (uint32_t)block;
	__asm volatile("bkpt 0xab" : : "r"(operation), "r"(argument) : "memory");
}

// A cleared endianness bit is what the bundle's 16-bit views rely on.
void machine_check(void)
{
	if (SCB_AIRCR & 1u << 15)
		natives_fatal("this core runs big-endian; the bundle needs little-endian");
}

void machine_barrier(void)
{
	__asm volatile("dmb" : : : "memory");
}
