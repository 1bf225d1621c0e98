// Doorbells as file descriptors: polling, named pipes, UNIX sockets, inherited eventfds, ivshmem.
#define _GNU_SOURCE
#include "process.h"
#include "runner.h"
#include "standard-input.h"
#include "unix-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Without an own limit a polling side looks this often, in microseconds.
enum { POLL_DEFAULT = 1000 };
// Descriptors that every kind of doorbell watches: signals and standard input.
enum { FIXED = 2 };

static enum { POLLING, PIPE, EVENTFD, LISTEN, CONNECT, IVSHMEM } kind;
static uint32_t longest = UINT32_MAX; // of one sleep, microseconds
static int in = -1, out = -1, listener = -1, signals = -1;
static const char *path = "";

static void start_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		process_give_up("no descriptor for", "signals");
}

// A pipe opened for both directions never ends: a peer that vanishes leaves no trace here.
static int open_pipe(const char *path)
{
	struct stat status;

	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		process_give_up("cannot make the pipe", path);
	int descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (descriptor < 0 || fstat(descriptor, &status) < 0 || !S_ISFIFO(status.st_mode))
		process_give_up("is no named pipe that can be opened:", path);
	return descriptor;
}

static int inherited(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end || number < 3 || number > 1023 || fcntl((int)number, F_SETFL, O_NONBLOCK) < 0)
		process_give_up("is no inherited descriptor:", text);
	return (int)number;
}

static void set_path(const char *text)
{
	if (!socket_path_fits(text))
		process_give_up("the socket's path is too long:", text);
	path = text;
}

// Splits "IN,OUT" in place and opens both halves.
static void open_both(char *text, int (*open_one)(const char *))
{
	char *comma = strchr(text, ',');

	if (comma == NULL)
		process_give_up("a doorbell needs IN,OUT:", text);
	*comma = '\0';
	in = open_one(text);
	out = open_one(comma + 1);
}

void doorbell_open(const char *description)
{
	static char copy[512];
	size_t length = strcspn(description, ":");
	char *rest = copy + length + (description[length] == ':');

	if (strlen(description) >= sizeof copy)
		process_give_up("the doorbell's description is too long:", description);
	strcpy(copy, description);
	copy[length] = '\0';
	start_signals();
	if (strcmp(copy, "poll") == 0) {
		char *end = rest;
		unsigned long limit = *rest ? strtoul(rest, &end, 10) : POLL_DEFAULT;
		if (*end || *rest == '-' || limit < 1 || limit > 1000000)
			process_give_up("polling wants 1 to 1000000 microseconds:", description);
		kind = POLLING;
		longest = (uint32_t)limit;
	} else if (strcmp(copy, "fifo") == 0) {
		kind = PIPE;
		open_both(rest, open_pipe);
	} else if (strcmp(copy, "eventfd") == 0) {
		kind = EVENTFD;
		open_both(rest, inherited);
	} else if (strcmp(copy, "unix") == 0) {
		kind = LISTEN;
		set_path(rest);
		listener = socket_listen(path);
		if (listener < 0)
			process_give_up("cannot listen on the socket", path);
	} else if (strcmp(copy, "connect") == 0) {
		kind = CONNECT;
		set_path(rest);
	} else if (strcmp(copy, "ivshmem") == 0) {
		kind = IVSHMEM;
		ivshmem_open(rest);
	} else {
		process_give_up("unknown kind of doorbell:", description);
	}
}

static void hang_up(void)
{
	if (in >= 0)
		close(in);
	in = -1;
}

void doorbell_ring(void)
{
	uint64_t one = 1;

	// What does not go through needs no second try: a full pipe or counter is a ring the peer has not answered yet.
	switch (kind) {
	case POLLING:
		break;
	case PIPE:
		(void)!write(out, &one, 1);
		break;
	case EVENTFD:
		(void)!write(out, &one, sizeof one);
		break;
	case LISTEN:
	case CONNECT:
		if (in >= 0 && send(in, &one, 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
			hang_up();
		break;
	case IVSHMEM:
		ivshmem_ring();
		break;
	}
}

// Takes everything that is there; returns true when it was anything. A socket's end closes it.
static bool drain(void)
{
	char bytes[256];
	bool any = false;
	ssize_t got;

	while ((got = read(in, bytes, sizeof bytes)) > 0) {
		any = true;
		// An eventfd's counter is read whole.
		if (kind == EVENTFD)
			return true;
	}
	if (kind != PIPE && kind != EVENTFD && (got == 0 || (errno != EAGAIN && errno != EINTR)))
		hang_up();
	return any;
}

// The newest connection is the peer: one that came back may have left its old one behind.
static bool accept_peer(void)
{
	int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (descriptor < 0)
		return false;
	hang_up();
	in = descriptor;
	return true;
}

uint32_t doorbell_wait(uint32_t limit)
{
	struct pollfd set[FIXED + IVSHMEM_DESCRIPTORS] = { { .fd = signals, .events = POLLIN }, { .fd = standard_input(), .events = POLLIN } };
	uint32_t lines = 0, sleep = limit < longest ? limit : longest;
	struct timespec timeout = { sleep / 1000000, (long)(sleep % 1000000) * 1000 };
	unsigned count = FIXED;

	if (kind == CONNECT && in < 0)
		in = socket_connect(path);
	if (kind == IVSHMEM) {
		count += ivshmem_watch(set + FIXED);
	} else {
		set[count++] = (struct pollfd){ .fd = in, .events = POLLIN };
		set[count++] = (struct pollfd){ .fd = listener, .events = POLLIN };
	}
	if (ppoll(set, count, &timeout, NULL) <= 0)
		return 0;
	if (set[0].revents)
		lines |= STOP;
	if (set[1].revents) {
		standard_input_came();
		lines |= MACHINE_SERIAL;
	}
	if (kind == IVSHMEM) {
		if (ivshmem_handle(set + FIXED, count - FIXED))
			lines |= DOORBELL;
		return lines;
	}
	if (set[FIXED].revents && drain())
		lines |= DOORBELL;
	if (set[FIXED + 1].revents && accept_peer())
		lines |= DOORBELL;
	return lines;
}

void doorbell_close(void)
{
	if (kind == LISTEN)
		unlink(path);
}
