// Standard input as the serial line of a process whose time is real.
#ifndef STANDARD_INPUT_H
#define STANDARD_INPUT_H

// The descriptor to watch in a sleep, -1 while nobody waits for a byte: poll passes over it. When it is readable, the sleep ends with
// MACHINE_SERIAL and `standard_input_came` is called.
int standard_input(void);
void standard_input_came(void);

#endif
