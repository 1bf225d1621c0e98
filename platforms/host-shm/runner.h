// What the files of the runner share: the doorbell.
#ifndef RUNNER_H
#define RUNNER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

// Opens the doorbell that the option --doorbell describes; README.md lists the kinds.
void doorbell_open(const char *description);

// Rings the other side. Never waits; without a peer nothing happens.
void doorbell_ring(void);

// Waits at most `limit` microseconds for a ring, a signal that stops or standard input. Returns DOORBELL, STOP and MACHINE_SERIAL bits; what rang has been
// acknowledged, so a ring from now on is not lost.
enum { DOORBELL = 1, STOP = 2 };
uint32_t doorbell_wait(uint32_t limit);

// Removes what the doorbell left in the file system.
void doorbell_close(void);

// A client of an ivshmem server: peers are rung through eventfds that the server hands out.
void ivshmem_open(const char *path);
void ivshmem_ring(void);
// Puts the descriptors to watch into `set`; returns how many (at most IVSHMEM_DESCRIPTORS).
enum { IVSHMEM_DESCRIPTORS = 17 };
unsigned ivshmem_watch(struct pollfd *set);
// Handles what poll reported; returns true when a peer rang.
bool ivshmem_handle(const struct pollfd *set, unsigned count);

#endif
