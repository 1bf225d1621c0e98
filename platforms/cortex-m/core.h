// Cortex-M system registers, in the Architecture Reference Manual's names.
#ifndef CORE_H
#define CORE_H

#include "bare-metal.h"

#define SYST_CSR REGISTER(0xe000e010)
#define SYST_RVR REGISTER(0xe000e014)
#define SYST_CVR REGISTER(0xe000e018)
#define NVIC_ISER(n) REGISTER(0xe000e100 + 4 * (n))
#define NVIC_ICER(n) REGISTER(0xe000e180 + 4 * (n))
#define NVIC_ICPR(n) REGISTER(0xe000e280 + 4 * (n))
#define SCB_ICSR REGISTER(0xe000ed04)  // VECTACTIVE b8..0, PENDSTCLR b25
#define SCB_AIRCR REGISTER(0xe000ed0c) // ENDIANNESS b15
#define SCB_CFSR REGISTER(0xe000ed28)
#define SCB_HFSR REGISTER(0xe000ed2c)
#define SCB_MMFAR REGISTER(0xe000ed34)
#define SCB_BFAR REGISTER(0xe000ed38)

// SYST_CSR: ENABLE b0 and CLKSOURCE b2 (the core's clock), TICKINT b1.
enum { SYST_RUNS = 5, SYST_INTERRUPTS = 2 };

#define SCB_VTOR REGISTER(0xe000ed08)

enum { EXCEPTION_SYSTICK = 15, EXCEPTION_LINE_0 = 16 };

// Supplied by the timer: SysTick's exception.
void systick(void);
// Supplied by memory.c: memory protection and caches, before the image's variables have their values.
void memory_start(void);

#endif
