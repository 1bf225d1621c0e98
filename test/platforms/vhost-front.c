// A front side for tests of the vhost-user runner: sends what its input says, with real descriptors, and prints what comes back.
//
// Lines: "send HEX DESCRIPTORS" (m = 1 MiB of memory, s = 4 KiB, e = event, z = /dev/zero, n = /dev/null, r = a read-only
// file), "answer" (reads one message), "end" (reads until the runner hangs up), "kick", "called" (waits for the call), "shrink"
// (cuts the memory to nothing), "write OFFSET HEX", "read OFFSET BYTES", "again" (a new connection), "close".
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MEMORY = 1 << 20, GUARD_SECONDS = 120 };

static int connection = -1, memory, events[64], event_count;
static uint8_t *base;

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static void open_connection(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	connection = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0)
		give_up("connect");
}

static size_t from_hex(const char *text, uint8_t *bytes)
{
	size_t count = 0;
	unsigned value;

	for (; sscanf(text + 2 * count, "%2x", &value) == 1; count++)
		bytes[count] = (uint8_t)value;
	return count;
}

static int descriptor(char kind)
{
	int made = -1;

	switch (kind) {
	case 'm':
		return memory;
	case 's':
		made = memfd_create("small", 0);
		return ftruncate(made, 4096) < 0 ? -1 : made;
	case 'e':
		return events[event_count++] = eventfd(0, 0);
	case 'z':
		return open("/dev/zero", O_RDWR);
	case 'n':
		return open("/dev/null", O_RDWR);
	default:
		return open("/etc/hostname", O_RDONLY);
	}
}

static void send_message(const char *hex, const char *kinds)
{
	static uint8_t bytes[8192];
	union {
		char bytes[CMSG_SPACE(32 * sizeof(int))];
		struct cmsghdr alignment;
	} control = { { 0 } };
	struct iovec part = { bytes, from_hex(hex, bytes) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int descriptors[32];
	size_t count = strlen(kinds);

	for (size_t at = 0; at < count; at++)
		descriptors[at] = descriptor(kinds[at]);
	if (count) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		*header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof(int)) };
		memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
	}
	sendmsg(connection, &message, MSG_NOSIGNAL);
}

static void print_hex(const uint8_t *bytes, size_t count)
{
	for (size_t at = 0; at < count; at++)
		printf("%02x", bytes[at]);
	printf("\n");
}

static void answer(void)
{
	uint8_t bytes[4096];
	uint32_t size;

	if (recv(connection, bytes, 12, MSG_WAITALL) != 12) {
		printf("closed\n");
		return;
	}
	memcpy(&size, bytes + 8, sizeof size);
	if (size > sizeof bytes - 12 || recv(connection, bytes + 12, size, MSG_WAITALL) != (ssize_t)size)
		give_up("answer");
	print_hex(bytes, 12 + size);
}

int main(int argc, char **argv)
{
	static char line[20000], word[16], first[18000], second[64];

	alarm(GUARD_SECONDS);
	memory = memfd_create("guest", 0);
	if (argc != 2 || ftruncate(memory, MEMORY) < 0)
		give_up("memory");
	base = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	open_connection(argv[1]);
	while (fgets(line, sizeof line, stdin)) {
		first[0] = second[0] = 0;
		sscanf(line, "%15s %17999s %63s", word, first, second);
		if (strcmp(word, "send") == 0) {
			send_message(first, second);
		} else if (strcmp(word, "answer") == 0) {
			answer();
		} else if (strcmp(word, "end") == 0) {
			while (recv(connection, line, sizeof line, 0) > 0)
				continue;
			printf("closed\n");
		} else if (strcmp(word, "kick") == 0) {
			uint64_t one = 1;
			if (write(events[0], &one, sizeof one) != sizeof one)
				give_up("kick");
		} else if (strcmp(word, "called") == 0) {
			uint64_t count;
			// The runner has made it non-blocking.
			poll(&(struct pollfd){ .fd = events[1], .events = POLLIN }, 1, -1);
			if (read(events[1], &count, sizeof count) != sizeof count)
				give_up("call");
			printf("called\n");
		} else if (strcmp(word, "shrink") == 0) {
			if (ftruncate(memory, 0) < 0)
				give_up("shrink");
		} else if (strcmp(word, "write") == 0) {
			from_hex(second, base + atoi(first));
		} else if (strcmp(word, "read") == 0) {
			print_hex(base + atoi(first), (size_t)atoi(second));
		} else if (strcmp(word, "again") == 0) {
			close(connection);
			event_count = 0;
			open_connection(argv[1]);
		}
		fflush(stdout);
	}
	return 0;
}
