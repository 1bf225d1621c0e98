// The engine-independent half of the natives: an engine's glue only unpacks arguments and calls these.
#ifndef NATIVES_H
#define NATIVES_H

#include "heap.h"
#include "machine.h"

// Prepares the running side's accounts and heap and logs code 0 with the instructions per tick. First thing on a side.
void natives_start(void);

// The running side's heap.
struct heap *natives_heap(void);

// Counts one collector run of the engine that uses this heap.
void natives_collection(struct heap *heap);

// Where a range of a window is; ends the program when it is none.
uint8_t *natives_range(uint32_t window, uint32_t offset, uint32_t bytes);

void natives_copy(uint32_t to_window, uint32_t to, uint32_t from_window, uint32_t from, uint32_t bytes);
void natives_fill(uint32_t window, uint32_t offset, uint32_t bytes, uint32_t value);
void natives_clean(uint32_t window, uint32_t offset, uint32_t bytes);
void natives_invalidate(uint32_t window, uint32_t offset, uint32_t bytes);
uint32_t natives_random(uint32_t window, uint32_t offset, uint32_t bytes);
void natives_seeded(uint32_t window, uint32_t offset, uint32_t bytes, uint32_t state_window, uint32_t state);
uint32_t natives_idle(uint32_t limit);
void natives_log(int32_t code, int32_t value);
void natives_write(uint32_t window, uint32_t offset, uint32_t bytes);
uint32_t natives_read(uint32_t window, uint32_t offset, uint32_t bytes);
void natives_print(const char *text, size_t bytes);
uint32_t natives_register_read(uint32_t block, uint32_t offset);
uint32_t natives_register_high(void);
void natives_register_write(uint32_t block, uint32_t offset, uint32_t low, uint32_t high);

// The driver's exit ends the program; the device's exit parks it when the status is 0 and ends the program otherwise.
_Noreturn void natives_exit(int status);

// Ends the program after an error that the bundle did not catch: prints "error: <message>", status 1.
_Noreturn void natives_error(const char *message, size_t bytes);

// Ends the program because the heap is full: status 2.
_Noreturn void natives_heap_full(void);

// Ends the program because of a fault below the bundle: prints "fatal: <message>", status 3.
_Noreturn void natives_fatal(const char *message);

#endif
