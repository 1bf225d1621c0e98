// An ivshmem server: hands every client a number, the shared memory and everybody's eventfds (QEMU, docs/specs/ivshmem-spec).
//
//   vmsg-ivshmem-server SOCKET MEMORY BYTES VECTORS
//
// A new client gets the protocol's version 0, its number, and -1 with the memory's descriptor; then every client's number
// once per interrupt vector, each time with that vector's eventfd. Others learn of it the same way, and by its number alone
// that it has left. Messages are 8 bytes, little-endian; a descriptor travels beside them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unix-socket.h"

enum { CLIENTS = 16, VECTORS = 16, NUMBERS = 65536, NO_DESCRIPTOR = -1, VERSION = 0, MEMORY = -1 };

static struct client {
	int connection; // -1 = free
	int64_t number;
	int events[VECTORS];
} clients[CLIENTS];
static unsigned vectors;
static int64_t next_number;

static _Noreturn void give_up(const char *what, const char *which)
{
	fprintf(stderr, "vmsg-ivshmem-server: %s %s\n", what, which);
	exit(64);
}

// False when the client does not take it: it is gone, or reads nothing.
static bool send_number(int connection, int64_t number, int descriptor)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec part = { &number, sizeof number };
	struct msghdr all = { .msg_iov = &part, .msg_iovlen = 1 };

	if (descriptor != NO_DESCRIPTOR) {
		all.msg_control = &control;
		all.msg_controllen = sizeof control;
		struct cmsghdr *header = CMSG_FIRSTHDR(&all);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
	}
	return sendmsg(connection, &all, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof number;
}

static bool send_vectors(int connection, const struct client *of)
{
	for (unsigned vector = 0; vector < vectors; vector++)
		if (!send_number(connection, of->number, of->events[vector]))
			return false;
	return true;
}

// Closes a client and tells the others. One that does not take the news is found at its own turn: its connection is over.
static void leave(struct client *client)
{
	printf("peer %d left\n", (int)client->number);
	close(client->connection);
	client->connection = -1;
	for (unsigned vector = 0; vector < vectors; vector++)
		close(client->events[vector]);
	for (unsigned at = 0; at < CLIENTS; at++)
		if (clients[at].connection >= 0 && !send_number(clients[at].connection, client->number, NO_DESCRIPTOR))
			shutdown(clients[at].connection, SHUT_RDWR);
}

static bool number_taken(int64_t number)
{
	for (unsigned at = 0; at < CLIENTS; at++)
		if (clients[at].connection >= 0 && clients[at].number == number)
			return true;
	return false;
}

static void join(int connection, int memory)
{
	struct client *client = clients;

	while (client < clients + CLIENTS && client->connection >= 0)
		client++;
	if (client == clients + CLIENTS) {
		close(connection);
		return;
	}
	while (number_taken(next_number))
		next_number = (next_number + 1) % NUMBERS;
	client->number = next_number;
	next_number = (next_number + 1) % NUMBERS;
	for (unsigned vector = 0; vector < vectors; vector++) {
		client->events[vector] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (client->events[vector] < 0)
			give_up("no descriptor for", "an eventfd");
	}
	bool sent = send_number(connection, VERSION, NO_DESCRIPTOR) && send_number(connection, client->number, NO_DESCRIPTOR) &&
		    send_number(connection, MEMORY, memory);
	for (unsigned at = 0; at < CLIENTS; at++) {
		if (clients[at].connection < 0)
			continue;
		if (!send_vectors(clients[at].connection, client))
			shutdown(clients[at].connection, SHUT_RDWR);
		sent = sent && send_vectors(connection, &clients[at]);
	}
	client->connection = connection;
	printf("peer %d connected\n", (int)client->number);
	if (!sent || !send_vectors(connection, client))
		leave(client);
}

// Clients say nothing: whatever comes from one is its end.
static bool ended(int connection)
{
	char byte;
	ssize_t got = recv(connection, &byte, 1, MSG_DONTWAIT);

	return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static int open_memory(const char *file, off_t bytes)
{
	struct stat status;
	int descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (descriptor < 0 || fstat(descriptor, &status) < 0 || (status.st_size < bytes && ftruncate(descriptor, bytes) < 0))
		give_up("cannot use the memory file", file);
	return descriptor;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
	struct pollfd set[CLIENTS + 2];

	if (argc != 5 || !socket_path_fits(argv[1]))
		give_up("usage:", "vmsg-ivshmem-server SOCKET MEMORY BYTES VECTORS");
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	vectors = (unsigned)strtoul(argv[4], NULL, 10);
	if (vectors < 1 || vectors > VECTORS)
		give_up("1 to 16 vectors are possible, not", argv[4]);
	int memory = open_memory(argv[2], (off_t)strtoull(argv[3], NULL, 10));
	int listener = socket_listen(argv[1]);
	if (listener < 0)
		give_up("cannot listen on the socket", argv[1]);
	for (unsigned at = 0; at < CLIENTS; at++)
		clients[at].connection = -1;
	set[CLIENTS] = (struct pollfd){ .fd = listener, .events = POLLIN };
	set[CLIENTS + 1] = (struct pollfd){ .fd = open_signals(), .events = POLLIN };
	printf("listening on %s\n", argv[1]);
	for (;;) {
		for (unsigned at = 0; at < CLIENTS; at++)
			set[at] = (struct pollfd){ .fd = clients[at].connection, .events = POLLIN };
		if (poll(set, CLIENTS + 2, -1) < 0)
			continue;
		for (unsigned at = 0; at < CLIENTS; at++)
			if (set[at].revents && ended(set[at].fd))
				leave(&clients[at]);
		if (set[CLIENTS].revents) {
			int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (connection >= 0)
				join(connection, memory);
		}
		if (set[CLIENTS + 1].revents) {
			unlink(argv[1]);
			printf("stopped\n");
			return 0;
		}
	}
}
