// How a Cortex-A comes into the image: it begins in AArch64 at exception level 3 and goes on in AArch32, in the secure
// supervisor mode, where the files of cortex-r run. The instructions of AArch64 are in numbers: the assembler's are those of AArch32.
#include "board.h"
	.syntax unified
	.arm

	.section .text.start, "ax"
	.global start
	.type start, %function
	.balign 8
start:
	.inst 0xd2800600		// mov x0, #0x30
	.inst 0xd51e1100		// msr scr_el3, x0	lower levels are secure and 32 bits wide, their interrupts their own
#ifdef BOARD_GIC_REDISTRIBUTORS
	.inst 0xd28001e0		// mov x0, #0xf
	.inst 0xd51ecca0		// msr icc_sre_el3, x0	system registers, also for lower levels
	.inst 0xd5033fdf		// isb
	.inst 0x18000160		// ldr w0, distributor
	.inst 0x52800801		// mov w1, #0x40	GICD_CTLR: one security state, which is what gic-v3.c is written for
	.inst 0xb9000001		// str w1, [x0]
#endif
	.inst 0xd2803a60		// mov x0, #0x1d3
	.inst 0xd51e4000		// msr spsr_el3, x0	supervisor mode, ARM state, everything masked
	.inst 0x180000a0		// ldr w0, entry
	.inst 0xd51e4020		// msr elr_el3, x0
	.inst 0xd5033fdf		// isb
	.inst 0xd69f03e0		// eret
	.inst 0xd503201f		// nop
entry:
	.word reset
#ifdef BOARD_GIC_REDISTRIBUTORS
distributor:
	.word BOARD_GIC_DISTRIBUTOR
#endif
