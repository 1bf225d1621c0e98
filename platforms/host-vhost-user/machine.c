// A Linux process that serves one device over vhost-user: a UNIX socket with descriptors, guest memory, kicks and calls.
//
// It knows no message but the header's size field. The bundle sees the socket as register block 0:
// Register          offset
// CONNECTION            00  read: 0 none, 1 open; told once: 2 lost, 3 lost as guest memory was cut short, 4 lost as answers were not read
// BYTES                 04  read: bytes of the message that waits, as its header claims; 0 = none
// DESCRIPTORS           08  read: descriptors that came with it; 9 = more than can be kept
// END                   0c  write: closes what nobody kept, takes the next message
// REPLY                 10  write: sends so many bytes from OUTGOING of the message window
// DISCONNECT            14  write: ends the connection
// DEVICE                18  read: number of the device to serve; 10000 = none was chosen
// SHARE                 1c  write: makes a file of so many pages, whose descriptor goes with the next answer; read: 1 = it was made
// WINDOW                20  write: which window MAP and UNMAP mean
// FILE_PAGE             24  write: first page in the file
// PAGES                 28  write: how many
// MAP                   2c  write: the descriptor's place; read: 1 = it was mapped
// UNMAP                 30  write
// RING                  40  write: which ring the next four mean
// KICK, CALL, ERROR  44-4c  write: the descriptor's place + 1, 0 = none
// SIGNAL                50  write: 0 calls the ring's driver, 1 tells its error
// KICKED                54  read: the next ring that was kicked + 1, or 0
// KICKS, CALLS       58-5c  read: how many since start
// WITHHELD           60-64  read: feature bits that the device is not to offer
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "natives.h"
#include "process.h"
#include "standard-input.h"

enum { CONNECTION = 0x00, BYTES = 0x04, DESCRIPTORS = 0x08, END = 0x0c, REPLY = 0x10, DISCONNECT = 0x14, DEVICE = 0x18, SHARE = 0x1c };
enum { WINDOW = 0x20, FILE_PAGE = 0x24, PAGES = 0x28, MAP = 0x2c, UNMAP = 0x30 };
enum { RING = 0x40, KICK = 0x44, CALL = 0x48, ERROR = 0x4c, SIGNAL = 0x50, KICKED = 0x54, KICKS = 0x58, CALLS = 0x5c, WITHHELD = 0x60 };

// The windows of board.json and the parts of the message window, as hal/vhost-user.ts has them.
enum { MESSAGES = 1, FIRST_GUEST = 2, OUTGOING = 1024, LONGEST = 1024, HEADER = 12, SIZE_FIELD = 8, MESSAGES_BYTES = 4096 };
// A guest window's place: more than its size, which must stay below 2^27, and a multiple of a huge page.
enum { RINGS = 64, MOST_DESCRIPTORS = 8, PAGE = 4096, PLACE = 1 << 27 };
// Lines that machine_idle returns.
enum { LINE_SOCKET = 1, LINE_KICK = 2 };
// As in platforms/host/machine.c.
enum { STACK_RESERVE = 16384 };
// Microseconds until a front side that does not listen is tried again.
enum { RETRY = 100000 };

BOARD_PRIVATE_WINDOW
struct machine_window machine_windows[] = BOARD_WINDOWS;
const uint32_t machine_window_count = sizeof machine_windows / sizeof *machine_windows;

static struct machine_area heap;
static struct machine_bundle bundle;
static uint8_t *stack_top;
static const char *socket_path;
static bool connects; // the front side listens there
static uint32_t device = 0x10000;
static uint64_t withheld;

static int listener = -1, connection = -1;
static enum { NONE, OPEN, LOST, LOST_MEMORY, LOST_UNREAD } lost; // NONE: not since it was told last
static volatile sig_atomic_t memory_gone, stopped;

static uint32_t received; // bytes of the message at hand that have arrived
static int descriptors[MOST_DESCRIPTORS];
static uint32_t descriptor_count; // those that came, up to one more than are kept
static int shared = -1; // goes with the next answer

static struct ring {
	int kick, call, error;
	bool kicked;
} rings[RINGS];
static uint32_t kicks, calls;
static struct {
	uint32_t window, file_page, pages, mapped, ring;
} chosen;

enum machine_side machine_side(void)
{
	return MACHINE_DEVICE;
}

struct machine_area machine_heap(void)
{
	return heap;
}

struct machine_bundle machine_bundle(void)
{
	return bundle;
}

bool machine_stack_low(void)
{
	return (uint8_t *)__builtin_frame_address(0) < stack_top - BOARD_DEVICE_STACK + STACK_RESERVE;
}

uint32_t machine_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)((uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000) & 0x7ffffff;
}

void machine_write(const char *text, size_t bytes)
{
	fwrite(text, 1, bytes, stdout);
	fflush(stdout);
}

void machine_write_error(const char *text, size_t bytes)
{
	fflush(stdout);
	fwrite(text, 1, bytes, stderr);
}

void machine_end(int status)
{
	if (listener >= 0)
		unlink(socket_path);
	fflush(stdout);
	exit(status & 0xff);
}

void machine_park(void)
{
	machine_end(0);
}

static void close_one(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

static void end_message(void)
{
	for (uint32_t at = 0; at < MOST_DESCRIPTORS; at++)
		close_one(&descriptors[at]);
	descriptor_count = 0;
	received = 0;
}

static void lose_connection(uint32_t state)
{
	if (connection < 0)
		return;
	close_one(&connection);
	close_one(&shared);
	end_message();
	for (uint32_t ring = 0; ring < RINGS; ring++) {
		close_one(&rings[ring].kick);
		close_one(&rings[ring].call);
		close_one(&rings[ring].error);
		rings[ring].kicked = false;
	}
	lost = state;
}

// Bytes of the whole message as far as its header tells.
static uint32_t message_bytes(void)
{
	uint32_t size;

	if (received < HEADER)
		return 0;
	memcpy(&size, machine_windows[MESSAGES].base + SIZE_FIELD, sizeof size);
	// A claim beyond what is taken need not be told exactly.
	return size > LONGEST - HEADER ? LONGEST + 1 : HEADER + size;
}

static bool message_whole(void)
{
	uint32_t bytes = message_bytes();

	return bytes != 0 && (bytes > LONGEST || received == bytes);
}

static void keep_descriptors(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t at = 0; at < count; at++) {
			int descriptor;
			memcpy(&descriptor, CMSG_DATA(part) + at * sizeof descriptor, sizeof descriptor);
			if (descriptor_count < MOST_DESCRIPTORS) {
				descriptors[descriptor_count++] = descriptor;
			} else {
				close(descriptor);
				descriptor_count = MOST_DESCRIPTORS + 1;
			}
		}
	}
	if (message->msg_flags & MSG_CTRUNC)
		descriptor_count = MOST_DESCRIPTORS + 1;
}

// Takes what has arrived of the message at hand; it never reads into the next one.
static void receive(void)
{
	union {
		char bytes[CMSG_SPACE((MOST_DESCRIPTORS + 8) * sizeof(int))];
		struct cmsghdr alignment;
	} control;

	while (!message_whole()) {
		uint32_t wanted = received < HEADER ? HEADER : message_bytes();
		struct iovec part = { machine_windows[MESSAGES].base + received, wanted - received };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
		ssize_t bytes = recvmsg(connection, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (bytes > 0) {
			keep_descriptors(&message);
			received += (uint32_t)bytes;
		} else if (bytes == 0 || (errno != EAGAIN && errno != EINTR)) {
			lose_connection(LOST);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static void reply(uint32_t bytes)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr alignment;
	} control = { .bytes = { 0 } };
	struct iovec part = { machine_windows[MESSAGES].base + OUTGOING, bytes };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (shared >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof shared);
		memcpy(CMSG_DATA(header), &shared, sizeof shared);
	}
	if (connection >= 0 && bytes <= OUTGOING) {
		ssize_t sent = sendmsg(connection, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent != (ssize_t)bytes)
			lose_connection(sent >= 0 || errno == EAGAIN ? LOST_UNREAD : LOST);
	}
	close_one(&shared);
}

static void share(uint32_t pages)
{
	close_one(&shared);
	shared = memfd_create("in flight", MFD_CLOEXEC);
	if (shared >= 0 && ftruncate(shared, (off_t)pages * PAGE) < 0)
		close_one(&shared);
}

static void take_kick(struct ring *ring)
{
	uint64_t count = 0;
	ssize_t bytes = read(ring->kick, &count, sizeof count);

	if (bytes == sizeof count) {
		ring->kicked = true;
		kicks += (uint32_t)count;
	} else if (bytes >= 0 || (errno != EAGAIN && errno != EINTR)) {
		// Not an event: it would only keep us awake.
		close_one(&ring->kick);
	}
}

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

// What the front side's files are mapped to: a guest window, or what lies behind the messages. Its place, and most bytes.
static bool place_of(uint32_t window, struct machine_area *place)
{
	if (window < MESSAGES || window >= machine_window_count)
		return false;
	uint32_t kept = window == MESSAGES ? MESSAGES_BYTES : 0;
	*place = (struct machine_area){ machine_windows[window].base + kept, machine_windows[window].bytes - kept };
	return true;
}

// Zeros that may be reached, or nothing, take the place of what was mapped there.
static void clear(struct machine_area place, int protection)
{
	mmap(place.base, place.bytes, protection, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

// The front side has cut its file short: zeros take the window's place, and its connection ends.
static void memory_fault(int signal, siginfo_t *fault, void *context)
{
	uint8_t *at = fault->si_addr;

	(void)context;
	struct machine_area place;
	for (uint32_t window = MESSAGES; place_of(window, &place); window++) {
		uint8_t *base = place.base;
		if (at >= base && at < base + place.bytes) {
			clear(place, PROT_READ | PROT_WRITE);
			memory_gone = 1;
			return;
		}
	}
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	// The last byte is for the name it has until it listens.
	if (strlen(path) + 1 >= sizeof address.sun_path)
		process_give_up("the socket's path is too long:", path);
	strcpy(address.sun_path, path);
	return address;
}

static void connect_to_front_side(void)
{
	struct sockaddr_un address = address_of(socket_path);

	connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0)
		close_one(&connection);
}

uint32_t machine_idle(uint32_t limit)
{
	struct pollfd polled[3 + RINGS];
	uint32_t of[3 + RINGS];
	nfds_t count = 0;
	uint32_t lines = 0;
	sigset_t none;

	// The bundle still tells what a connection came to.
	if (stopped && connection < 0 && !lost)
		machine_end(0);
	if (memory_gone || stopped) {
		lose_connection(memory_gone ? LOST_MEMORY : LOST);
		memory_gone = 0;
	}
	if (connects && connection < 0 && !lost) {
		connect_to_front_side();
		if (connection < 0 && limit > RETRY)
			limit = RETRY;
	}
	if (lost || (connection >= 0 && message_whole()))
		limit = 0;
	for (uint32_t ring = 0; ring < RINGS; ring++) {
		if (rings[ring].kicked)
			limit = 0;
		else if (rings[ring].kick >= 0) {
			of[count] = ring;
			polled[count++] = (struct pollfd){ .fd = rings[ring].kick, .events = POLLIN };
		}
	}
	nfds_t kick_count = count;
	if (connection < 0 && !lost && !connects)
		polled[count++] = (struct pollfd){ .fd = listener, .events = POLLIN };
	else if (connection >= 0 && !message_whole())
		polled[count++] = (struct pollfd){ .fd = connection, .events = POLLIN };
	nfds_t socket_count = count;
	polled[count++] = (struct pollfd){ .fd = standard_input(), .events = POLLIN };
	sigemptyset(&none);
	struct timespec wait = { limit / 1000000, (long)(limit % 1000000) * 1000 };
	if (ppoll(polled, count, &wait, &none) > 0) {
		for (nfds_t at = 0; at < kick_count; at++)
			if (polled[at].revents)
				take_kick(&rings[of[at]]);
		if (polled[socket_count].revents) {
			standard_input_came();
			lines |= MACHINE_SERIAL;
		}
		if (socket_count > kick_count && polled[kick_count].revents) {
			if (connection < 0)
				connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
			else
				receive();
		}
	}
	if (lost || (connection >= 0 && message_whole()))
		lines |= LINE_SOCKET;
	for (uint32_t ring = 0; ring < RINGS; ring++)
		if (rings[ring].kicked)
			lines |= LINE_KICK;
	return lines;
}

static struct machine_area chosen_place(void)
{
	struct machine_area place;

	if (!place_of(chosen.window, &place))
		natives_fatal("a window was named that nothing is mapped to");
	return place;
}

static uint32_t map(uint32_t descriptor)
{
	struct machine_area place = chosen_place();
	off_t from = (off_t)chosen.file_page * PAGE;
	size_t bytes = (size_t)chosen.pages * PAGE;
	struct stat status;

	if (descriptor >= MOST_DESCRIPTORS || descriptors[descriptor] < 0 || chosen.pages == 0 || bytes > place.bytes)
		return 0;
	// Behind the end of its file a mapping faults.
	if (fstat(descriptors[descriptor], &status) < 0 || status.st_size < from || (size_t)(status.st_size - from) < bytes)
		return 0;
	return mmap(place.base, bytes, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED, descriptors[descriptor], from) != MAP_FAILED;
}

// Keeps the descriptor at `place` - 1, or none.
static void keep(int *kept, uint32_t place)
{
	close_one(kept);
	if (place > 0 && place <= MOST_DESCRIPTORS && descriptors[place - 1] >= 0) {
		*kept = descriptors[place - 1];
		descriptors[place - 1] = -1;
		fcntl(*kept, F_SETFL, fcntl(*kept, F_GETFL) | O_NONBLOCK);
	}
}

static uint32_t next_kicked(void)
{
	for (uint32_t ring = 0; ring < RINGS; ring++) {
		if (rings[ring].kicked) {
			rings[ring].kicked = false;
			return ring + 1;
		}
	}
	return 0;
}

static void send_signal(int descriptor)
{
	uint64_t one = 1;

	// A full counter has been signalled already; anything else is the front side's loss.
	if (descriptor >= 0 && write(descriptor, &one, sizeof one) == sizeof one)
		calls++;
}

uint32_t machine_register_read(uint32_t block, uint32_t offset)
{
	if (block == 0) {
		switch (offset) {
		case CONNECTION: {
			uint32_t state = lost ? lost : connection >= 0 ? OPEN : NONE;
			lost = NONE;
			return state;
		}
		case BYTES:
			return connection >= 0 && message_whole() ? message_bytes() : 0;
		case DESCRIPTORS:
			return descriptor_count;
		case DEVICE:
			return device;
		case SHARE:
			return shared >= 0;
		case MAP:
			return chosen.mapped;
		case KICKED:
			return next_kicked();
		case KICKS:
			return kicks;
		case CALLS:
			return calls;
		case WITHHELD:
		case WITHHELD + 4:
			return (uint32_t)(withheld >> (offset - WITHHELD) * 8);
		}
	}
	natives_fatal("a register was read that this machine does not have");
}

void machine_register_write(uint32_t block, uint32_t offset, uint32_t value)
{
	if (block != 0)
		natives_fatal("a register was written that this machine does not have");
	struct ring *ring = &rings[chosen.ring];
	switch (offset) {
	case END:
		end_message();
		// What is there already is taken at once: a front side sends its set-up in one go.
		if (connection >= 0)
			receive();
		break;
	case REPLY:
		reply(value);
		break;
	case DISCONNECT:
		lose_connection(LOST);
		break;
	case SHARE:
		share(value);
		break;
	case WINDOW:
		chosen.window = value;
		break;
	case FILE_PAGE:
		chosen.file_page = value;
		break;
	case PAGES:
		chosen.pages = value;
		break;
	case MAP:
		chosen.mapped = map(value);
		break;
	case UNMAP:
		clear(chosen_place(), PROT_NONE);
		break;
	case RING:
		if (value >= RINGS)
			natives_fatal("a ring was named that this machine does not have");
		chosen.ring = value;
		break;
	case KICK:
		ring->kicked = false;
		keep(&ring->kick, value);
		break;
	case CALL:
		keep(&ring->call, value);
		break;
	case ERROR:
		keep(&ring->error, value);
		break;
	case SIGNAL:
		send_signal(value ? ring->error : ring->call);
		break;
	default:
		natives_fatal("a register was written that this machine does not have");
	}
}

static void listen_at(const char *path)
{
	struct sockaddr_un address = address_of(path);
	struct stat status;

	if (lstat(path, &status) == 0) {
		// A socket that nobody listens at was left by a process that was killed.
		int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!S_ISSOCK(status.st_mode) || connect(probe, (struct sockaddr *)&address, sizeof address) == 0)
			process_give_up("something is already there:", path);
		close(probe);
	}
	strcat(address.sun_path, "~");
	unlink(address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0 ||
	    rename(address.sun_path, path) < 0) {
		listener = -1;
		process_give_up("cannot listen at the socket", path);
	}
}

// Guest memory gets its place in the address space once; what lies there changes.
static void place_windows(void)
{
	machine_windows[MESSAGES].base = process_map(NULL, machine_windows[MESSAGES].bytes);
	size_t guest = (size_t)(machine_window_count - FIRST_GUEST) * PLACE;
	// Aligned, so that files of huge pages can be mapped.
	uint8_t *base = mmap(NULL, guest + PLACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		process_give_up("no address space for", "guest memory");
	base += (PLACE - (uintptr_t)base % PLACE) % PLACE;
	for (uint32_t window = FIRST_GUEST; window < machine_window_count; window++, base += PLACE)
		machine_windows[window].base = base;
}

int main(int argc, char **argv)
{
	unsigned long heap_bytes = BOARD_DEVICE_HEAP;
	int at = 1;

	for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
		if (strcmp(argv[at], "--socket") == 0 || strcmp(argv[at], "--connect") == 0) {
			socket_path = argv[at + 1];
			connects = argv[at][2] == 'c';
		}
		else if (strcmp(argv[at], "--device") == 0)
			device = (uint32_t)process_count(argv[at + 1], argv[at], 0, 65535);
		else if (strcmp(argv[at], "--without") == 0)
			withheld |= 1ull << process_count(argv[at + 1], argv[at], 0, 63);
		else if (strcmp(argv[at], "--heap") == 0)
			heap_bytes = process_count(argv[at + 1], argv[at], 4096, 1u << 30);
		else if (strcmp(argv[at], "--seed") == 0)
			process_seed((uint32_t)process_count(argv[at + 1], argv[at], 0, UINT32_MAX));
		else
			process_give_up("unknown option", argv[at]);
	}
	if (argc - at != 1 || socket_path == NULL)
		process_give_up("usage:", "vmsg-host-vhost-user --socket|--connect PATH [--device N] [--without BIT]... [--heap BYTES] [--seed N] device.js");
	for (uint32_t ring = 0; ring < RINGS; ring++)
		rings[ring] = (struct ring){ -1, -1, -1, false };
	for (uint32_t place = 0; place < MOST_DESCRIPTORS; place++)
		descriptors[place] = -1;
	bundle = process_load(argv[at]);
	heap = (struct machine_area){ process_map(NULL, heap_bytes), (uint32_t)heap_bytes };
	stack_top = __builtin_frame_address(0);
	place_windows();
	if (!connects)
		listen_at(socket_path);

	// Signals come only while the process sleeps, so no work is cut in two.
	sigset_t ending;
	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = stop }, NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = stop }, NULL);
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	sigaction(SIGBUS, &(struct sigaction){ .sa_sigaction = memory_fault, .sa_flags = SA_SIGINFO }, NULL);
	engine_run();
}
