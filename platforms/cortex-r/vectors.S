// The vectors of a Cortex-R image, its reset, and the ways into C; exceptions are taken in ARM state and end on one stack.
	.syntax unified
	.arm

	.section .vectors, "ax"
	.balign 32
vectors:
	ldr pc, =reset
	ldr pc, =undefined
	ldr pc, =supervisor_call
	ldr pc, =prefetch_abort
	ldr pc, =data_abort
	nop
	ldr pc, =interrupt
	ldr pc, =fast_interrupt
	.ltorg

	.section .text.reset, "ax"
	.global reset
	.type reset, %function
reset:
#if __ARM_ARCH >= 8
	// ARMv8-R begins at exception level 2, which this image has no use for: its protection is off, it traps nothing, and it leaves
	// the timer and the interrupt controller's registers to exception level 1.
	mrs r0, cpsr
	and r0, r0, #0x1f
	cmp r0, #0x1a
	bne 1f
	mov r0, #0
	mcr p15, 4, r0, c1, c1, 0	// HCR
	mcr p15, 4, r0, c1, c1, 2	// HCPTR
	mcr p15, 4, r0, c1, c1, 3	// HSTR
	mcrr p15, 4, r0, r0, c14	// CNTVOFF
	mov r1, #3
	mcr p15, 4, r1, c14, c1, 0	// CNTHCTL: counter and physical timer
	mov r1, #0xf
	mcr p15, 4, r1, c12, c9, 5	// ICC_HSRE: system registers, also for exception level 1
	mcr p15, 0, r0, c1, c0, 0	// SCTLR: its value at reset is nobody's
	isb
	ldr r0, =1f
	msr elr_hyp, r0
	mov r0, #0x1d3			// supervisor mode, ARM state, exceptions masked
	msr spsr_hyp, r0
	eret
1:
#endif
	cpsid aif, #0x13
	ldr sp, =main_stack_high
	ldr r0, =core_begin
	bx r0

	// An interrupt's frame goes to the stack of the mode that everything runs in, aligned as C wants it.
interrupt:
	sub lr, lr, #4
	srsdb sp!, #0x13
	cps #0x13
	push {r0-r3, r12, lr}
	and r0, sp, #4
	sub sp, sp, r0
	push {r0, r1}
	ldr r0, =controller_interrupt
	blx r0
	pop {r0, r1}
	add sp, sp, r0
	pop {r0-r3, r12, lr}
	rfeia sp!

	// Faults run on a stack of their own: the one in use may be what failed.
	.macro fault name, number, back
\name:
	sub r1, lr, #\back
	mov r0, #\number
	ldr sp, =fault_stack + 1024
	ldr r2, =describe_fault
	bx r2
	.endm

	fault undefined, 1, 4
	fault supervisor_call, 2, 4
	fault prefetch_abort, 3, 4
	fault data_abort, 4, 8
	fault fast_interrupt, 7, 4
	.ltorg
