// Start-up of a Cortex-R image: protection, caches, interrupts, release; and faults. Nothing is trusted from an earlier run.
#include "board.h"
#include "cortex-r.h"
#include "natives.h"
#include "text.h"

enum { FAULT_STACK_BYTES = 1024 };

// Faults run on this stack; vectors.S starts at its end.
uint32_t fault_stack[FAULT_STACK_BYTES / 4] __attribute__((aligned(8)));

// Vector numbers as vectors.S gives them.
static const char *const exceptions[8] = {
	[1] = "an undefined instruction", [2] = "a supervisor call", [3] = "a prefetch abort",
	[4] = "a data abort",             [7] = "a fast interrupt",
};

_Noreturn void describe_fault(uint32_t exception, uint32_t pc);

void describe_fault(uint32_t exception, uint32_t pc)
{
	struct text line = { .length = 0 };
	struct { const char *name; uint32_t value; } values[] = {
		{ " dfsr=", DFSR_READ() }, { " dfar=", DFAR_READ() }, { " ifsr=", IFSR_READ() }, { " ifar=", IFAR_READ() },
		{ " pc=", pc },
	};

	text_string(&line, "the processor took ");
	text_string(&line, exceptions[exception]);
	for (unsigned at = 0; at < sizeof values / sizeof *values; at++) {
		text_string(&line, values[at].name);
		text_hex(&line, values[at].value);
	}
	line.bytes[line.length < sizeof line.bytes ? line.length : sizeof line.bytes - 1] = '\0';
	natives_fatal(line.bytes);
}

#if __ARM_ARCH >= 8
extern uint32_t vectors[];

static void vectors_start(void)
{
	CP15_WRITE(0, c12, c0, 0, (uint32_t)vectors); // VBAR
}
#else
static void vectors_start(void)
{
	SCTLR_WRITE(BOARD_VECTORS_ADDRESS == 0 ? SCTLR_READ() & ~(uint32_t)SCTLR_V : SCTLR_READ() | SCTLR_V);
}
#endif

_Noreturn void core_begin(void);

void core_begin(void)
{
	vectors_start();
	mpu_start();
	cache_start();
	controller_start();
#ifdef BOARD_RELEASE
	// All cores of this board start at once. The one that releases this one also rings it, which ends the sleep; the ring
	// stays pending and is this core's first, spurious doorbell.
	while (REGISTER(BOARD_RELEASE) == 0)
		__asm volatile("dsb\n wfi" : : : "memory");
#endif
	image_begin();
}

// The instruction of Thumb state.
void core_semihosting(uint32_t number, const uint32_t *block)
{
	register uint32_t operation __asm("r0") = number;
	register uint32_t argument __asm("r1") = (uint32_t)block;
	__asm volatile("svc 0xab" : : "r"(operation), "r"(argument) : "memory", "lr");
}

// What the bundle's 16-bit views rely on.
void machine_check(void)
{
	uint32_t cpsr;

	__asm("mrs %0, cpsr" : "=r"(cpsr));
	if (cpsr & 1u << 9)
		natives_fatal("this core runs big-endian; the bundle needs little-endian");
}

void machine_barrier(void)
{
	__asm volatile("dmb" : : : "memory");
}
