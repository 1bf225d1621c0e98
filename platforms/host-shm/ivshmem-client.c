// The client's half of the ivshmem server protocol: an id, then every peer's eventfds, one message of 8 bytes each.
//
// The server sends its version 0, the client's id, -1 with the shared memory, and then numbers with or without a
// descriptor: a number with one is that peer's next interrupt vector (our own id: ours), one without says the peer left.
#define _GNU_SOURCE
#include "process.h"
#include "runner.h"
#include "unix-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VECTORS = IVSHMEM_DESCRIPTORS - 1, PEERS = 16, NOBODY = -1 };

static const char *path;
static int server = -1;
static enum { VERSION, OWN_ID, NUMBERS } expected;
static int64_t own_id;
static int own[VECTORS];
static unsigned own_count;
static struct {
	int64_t id;
	int vector; // the eventfd of vector 0
} peers[PEERS];

static void disconnect(void)
{
	for (unsigned at = 0; at < own_count; at++)
		close(own[at]);
	own_count = 0;
	for (unsigned at = 0; at < PEERS; at++) {
		if (peers[at].id != NOBODY)
			close(peers[at].vector);
		peers[at].id = NOBODY;
	}
	if (server >= 0)
		close(server);
	server = -1;
}

static void try_connect(void)
{
	server = socket_connect(path);
	expected = VERSION;
}

void ivshmem_open(const char *text)
{
	if (!socket_path_fits(text))
		process_give_up("the socket's path is too long:", text);
	path = text;
	for (unsigned at = 0; at < PEERS; at++)
		peers[at].id = NOBODY;
	try_connect();
	if (server < 0)
		process_give_up("no ivshmem server listens on", path);
}

void ivshmem_ring(void)
{
	uint64_t one = 1;

	// Vector 0 of every peer: a driver finds its queue empty when the ring was for another one.
	for (unsigned at = 0; at < PEERS; at++)
		if (peers[at].id != NOBODY)
			(void)!write(peers[at].vector, &one, sizeof one);
}

unsigned ivshmem_watch(struct pollfd *set)
{
	if (server < 0)
		try_connect();
	set[0] = (struct pollfd){ .fd = server, .events = POLLIN };
	for (unsigned at = 0; at < own_count; at++)
		set[1 + at] = (struct pollfd){ .fd = own[at], .events = POLLIN };
	return 1 + own_count;
}

static void peer_vector(int64_t id, int descriptor)
{
	unsigned vacant = PEERS;

	for (unsigned at = 0; at < PEERS; at++) {
		if (peers[at].id == id) {
			// Only vector 0 is rung; without a descriptor the peer has left.
			if (descriptor >= 0) {
				close(descriptor);
			} else {
				close(peers[at].vector);
				peers[at].id = NOBODY;
			}
			return;
		}
		if (peers[at].id == NOBODY && vacant == PEERS)
			vacant = at;
	}
	if (descriptor < 0)
		return;
	if (vacant == PEERS) {
		close(descriptor);
		return;
	}
	fcntl(descriptor, F_SETFL, O_NONBLOCK);
	peers[vacant].id = id;
	peers[vacant].vector = descriptor;
}

// One message of the server; returns false when it breaks the protocol.
static bool message(int64_t number, int descriptor)
{
	switch (expected) {
	case VERSION:
		expected = OWN_ID;
		return number == 0 && descriptor < 0;
	case OWN_ID:
		expected = NUMBERS;
		own_id = number;
		return number >= 0 && number <= 65535 && descriptor < 0;
	case NUMBERS:
		if (number == -1) {
			// The windows are mapped by the names of their files.
			close(descriptor);
		} else if (number != own_id) {
			peer_vector(number, descriptor);
		} else if (descriptor >= 0 && own_count < VECTORS) {
			fcntl(descriptor, F_SETFL, O_NONBLOCK);
			own[own_count++] = descriptor;
		} else if (descriptor >= 0) {
			close(descriptor);
		}
		return true;
	}
	return false;
}

// Takes the next message; returns false when there is none now. A connection that ends or breaks the protocol is closed.
static bool receive(void)
{
	int64_t number = 0;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { &number, sizeof number };
	struct msghdr all = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t got = recvmsg(server, &all, MSG_CMSG_CLOEXEC);
	int descriptor = -1;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&all) : NULL;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
	// Numbers are little-endian, as this process is; the server sends each in one piece.
	if (got != (ssize_t)sizeof number || !message(number, descriptor)) {
		disconnect();
		return false;
	}
	return true;
}

bool ivshmem_handle(const struct pollfd *set, unsigned count)
{
	bool rang = false;

	for (unsigned at = 1; at < count; at++) {
		uint64_t counter;
		if (set[at].revents && read(set[at].fd, &counter, sizeof counter) > 0)
			rang = true;
	}
	// Descriptors are counted anew by the next watch.
	if (set[0].revents)
		while (server >= 0 && receive())
			rang = true;
	return rang;
}
