// Device and driver on one core: two coroutines that hand over in idle, and a model of the registers between two cores.
#ifndef PAIR_H
#define PAIR_H

#include "machine.h"

// What a machine supplies. Time is in microseconds since start.
uint64_t pair_now(void);
// A side goes idle: a virtual clock moves on by a microsecond here, so that a loop that polls sees time pass.
void pair_step(void);
// Sleeps until this time: both sides are idle.
void pair_sleep(uint64_t until);
// Leaves the running side and goes on with the other one, which begins at pair_enter the first time.
void pair_switch(enum machine_side from, enum machine_side to);

// Starts the driver's side on the caller's stack; the device's waits for its release.
_Noreturn void pair_start(void);
// The first function of the other side's stack.
_Noreturn void pair_enter(void);

#endif
