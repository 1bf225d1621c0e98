// The switch between two coroutines on one Cortex-M core: r4-r11 and the return address, ten words with r3 for alignment.
	.syntax unified
	.thumb
	.section .text.context_switch, "ax"
	.global context_switch
	.type context_switch, %function
	.thumb_func
context_switch:
	push {r3-r11, lr}
	str sp, [r0]
	mov sp, r1
	pop {r3-r11, pc}
