// What the checks of GPIO, I2C and input need inside the guest: the kernel's character devices, used as any program would.
//
//   io-tool names CHIP COUNT [NAME]...      the chip has so many lines, and the first ones these names
//   io-tool values CHIP OUT IN COUNT        an output changes COUNT times, and the line wired to it reads that; then the other way round
//   io-tool edges CHIP OUT IN COUNT         COUNT edges of which both, the rising or the falling ones are waited for
//   io-tool wires CHIP FILE                 lines are taken, changed and read until FILE exists or something fails
//   io-tool sensor BUS MESSAGES             registers of a sensor like an LM75 at 0x48; nobody answers at 0x49
//   io-tool memory BUS MESSAGES SEED COUNT  random transfers with a memory of 256 bytes at 0x50, then everything is read and compared
//   io-tool wire BUS MESSAGES FILE          such transfers until FILE exists or one fails
//   io-tool identity EVENTS                 name, serial, ids and abilities of the app's input device
//   io-tool groups EVENTS COUNT             COUNT groups of a key and a movement, each one step behind the last
//   io-tool lamp EVENTS COUNT               a lamp goes on and out COUNT times, and a key answers
//   io-tool listen EVENTS FILE              groups are read until FILE exists or something fails
// What goes on until a file exists says when it begins.
// MESSAGES: so many at once, which is what the adapter's queue has room for. The last line says what was done; the status is 0 when everything was as it must be.
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <linux/input.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "verdict.h"

enum { SENSOR = 0x48, NOBODY = 0x49, MEMORY = 0x50, MEMORY_BYTES = 256, GUARD_MS = 60000, QUIET_MS = 20, FARTHEST = 100, MOST_BREAKS = 5, STALL_MS = 200, STANDING = 40 };

static int device;
static uint32_t at_once; // messages of one transfer

static void names(uint32_t count, int named, char **wanted)
{
	struct gpiochip_info chip;

	if (ioctl(device, GPIO_GET_CHIPINFO_IOCTL, &chip) < 0)
		fail("the chip does not tell about itself: %s", strerror(errno));
	if (chip.lines != count)
		fail("%u lines, not %u", chip.lines, count);
	for (uint32_t line = 0; line < count; line++) {
		struct gpio_v2_line_info info = { .offset = line };
		const char *name = (int)line < named ? wanted[line] : "";
		if (ioctl(device, GPIO_V2_GET_LINEINFO_IOCTL, &info) < 0)
			fail("line %u does not tell about itself: %s", line, strerror(errno));
		if (strcmp(info.name, name) != 0)
			fail("line %u is called '%s', not '%s'", line, info.name, name);
	}
	printf("%u lines, the first %d by their names\n", count, named);
}

// Asks for one line; returns its descriptor, or -1.
static int try_line(uint32_t offset, uint64_t flags)
{
	struct gpio_v2_line_request request = { .offsets = { offset }, .num_lines = 1, .consumer = "io-tool", .config = { .flags = flags } };

	return ioctl(device, GPIO_V2_GET_LINE_IOCTL, &request) < 0 ? -1 : request.fd;
}

static int line(uint32_t offset, uint64_t flags)
{
	int wanted = try_line(offset, flags);
	struct gpio_v2_line_info info = { .offset = offset };

	if (wanted < 0)
		fail("line %u cannot be had: %s", offset, strerror(errno));
	if (ioctl(device, GPIO_V2_GET_LINEINFO_IOCTL, &info) < 0 || (info.flags & flags) != flags)
		fail("line %u has flags %llx, not %llx", offset, (unsigned long long)info.flags, (unsigned long long)flags);
	return wanted;
}

static int try_value(int which, int value)
{
	struct gpio_v2_line_values values = { .bits = (uint64_t)value, .mask = 1 };

	return ioctl(which, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
}

static void set(int which, int value)
{
	if (try_value(which, value) < 0)
		fail("no value can be set: %s", strerror(errno));
}

// The value of a line, or -1.
static int try_get(int which)
{
	struct gpio_v2_line_values values = { .mask = 1 };

	return ioctl(which, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0 ? -1 : (int)(values.bits & 1);
}

static void values(uint32_t from, uint32_t to, int count)
{
	uint32_t state = 4711;

	for (int way = 0; way < 2; way++) {
		int in = line(way ? from : to, GPIO_V2_LINE_FLAG_INPUT), out = line(way ? to : from, GPIO_V2_LINE_FLAG_OUTPUT);
		for (int turn = 0; turn < count; turn++) {
			int value = (int)(next_random(&state) >> 31);
			set(out, value);
			if (try_get(in) != value || try_get(out) != value)
				fail("change %d: %d was set, the wire is %d, the output says %d", turn, value, try_get(in), try_get(out));
		}
		close(in);
		close(out);
	}
	printf("%d changes each way read at the other end, directions as asked\n", count);
}

// The next edge of `in` must be `wanted`; 0 = there must be none.
static void expect(int in, uint32_t wanted, uint32_t number)
{
	struct pollfd polled = { .fd = in, .events = POLLIN };
	struct gpio_v2_line_event event;

	if (poll(&polled, 1, wanted ? GUARD_MS : QUIET_MS) == 0) {
		if (wanted)
			fail("edge %u did not come", number);
		return;
	}
	if (read(in, &event, sizeof event) != sizeof event)
		fail("an edge cannot be read: %s", strerror(errno));
	if (event.id != wanted || event.line_seqno != number)
		fail("edge %u of kind %u, where number %u of kind %u should be", event.line_seqno, event.id, number, wanted);
}

static void edges(uint32_t from, uint32_t to, uint32_t count)
{
	static const uint64_t kinds[] = { GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING, GPIO_V2_LINE_FLAG_EDGE_RISING, GPIO_V2_LINE_FLAG_EDGE_FALLING };
	uint32_t seen[3] = { 0 };
	int out = line(from, GPIO_V2_LINE_FLAG_OUTPUT);

	for (int kind = 0; kind < 3; kind++) {
		set(out, 0);
		int in = line(to, GPIO_V2_LINE_FLAG_INPUT | kinds[kind]);
		for (uint32_t turn = 0; turn < count; turn++) {
			bool rises = turn % 2 == 0;
			bool heard = kinds[kind] & (rises ? GPIO_V2_LINE_FLAG_EDGE_RISING : GPIO_V2_LINE_FLAG_EDGE_FALLING);
			set(out, rises);
			seen[kind] += heard;
			expect(in, !heard ? 0 : rises ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE, seen[kind]);
		}
		close(in);
	}
	printf("%u edges: %u seen where both were waited for, %u rising ones, %u falling ones\n", count, seen[0], seen[1], seen[2]);
}

static void wires(const char *until)
{
	uint32_t done = 0;

	printf("begun\n");
	while (access(until, F_OK) != 0) {
		int out = try_line(0, GPIO_V2_LINE_FLAG_OUTPUT), in = try_line(1, GPIO_V2_LINE_FLAG_INPUT), value = (int)(done & 1);
		if (out < 0 || in < 0 || try_value(out, value) < 0 || try_get(in) != value)
			fail("%u changes, then a failure", done);
		close(in);
		close(out);
		done++;
	}
	printf("%u changes, none failed\n", done);
}

// Transfers `count` messages, as many at once as the adapter's queue has room for; returns how many were transferred, or -1.
static int try_transfer(struct i2c_msg *messages, uint32_t count)
{
	uint32_t done = 0;

	while (done < count) {
		uint32_t turn = count - done < at_once ? count - done : at_once;
		struct i2c_rdwr_ioctl_data some = { messages + done, turn };
		int moved = ioctl(device, I2C_RDWR, &some);
		if (moved < 0)
			return -1;
		done += (uint32_t)moved;
		if (moved != (int)turn)
			break;
	}
	return (int)done;
}

static void transfer(struct i2c_msg *messages, uint32_t count, const char *what)
{
	int done = try_transfer(messages, count);

	if (done != (int)count)
		fail("%s: %s", what, done < 0 ? strerror(errno) : "not everything was transferred");
}

static uint16_t sensor_register(uint8_t number)
{
	uint8_t value[2] = { 0 };
	struct i2c_msg messages[2] = { { SENSOR, 0, 1, &number }, { SENSOR, I2C_M_RD, 2, value } };

	transfer(messages, 2, "a register of the sensor");
	return (uint16_t)(value[0] << 8 | value[1]);
}

// Whether somebody answers at an address: a transfer without data.
static bool answers(uint16_t address)
{
	struct i2c_smbus_ioctl_data quick = { .read_write = I2C_SMBUS_WRITE, .size = I2C_SMBUS_QUICK };

	return ioctl(device, I2C_SLAVE, address) == 0 && ioctl(device, I2C_SMBUS, &quick) == 0;
}

static void sensor(void)
{
	uint8_t byte = 0;
	struct i2c_msg nowhere = { NOBODY, 0, 1, &byte };

	if (sensor_register(0) != 0x1900)
		fail("the temperature is %04x, not 1900", sensor_register(0));
	for (uint8_t turn = 0; turn < 20; turn++) {
		uint8_t number = 2 + turn % 2, written[3] = { number, 0x40 + turn, 0x80 };
		struct i2c_msg message = { SENSOR, 0, 3, written };
		transfer(&message, 1, "a limit of the sensor");
		if (sensor_register(number) != (uint16_t)(written[1] << 8 | written[2]))
			fail("register %u is %04x", number, sensor_register(number));
	}
	if (try_transfer(&nowhere, 1) == 1 || answers(NOBODY))
		fail("somebody answers at %#x", NOBODY);
	if (!answers(SENSOR) || sensor_register(0) != 0x1900)
		fail("nobody answers at %#x after that", SENSOR);
	printf("25 degrees, 20 limits written and read, an answer without data; no answer from elsewhere\n");
}

struct memory {
	uint8_t model[MEMORY_BYTES];
	uint32_t state, writes, reads, bytes;
};

// Several messages: a write, then reads of what was there and of what was written. Returns 0, or -1 when it failed.
static int work(struct memory *memory)
{
	enum { READS = 3 };
	uint8_t written[1 + MEMORY_BYTES], at[READS], found[READS][MEMORY_BYTES];
	struct i2c_msg messages[1 + 2 * READS];
	uint32_t to = next_random(&memory->state) % MEMORY_BYTES, length = 1 + next_random(&memory->state) % (MEMORY_BYTES - to);

	// A segment of this adapter has 256 bytes at most, the place among them.
	length = length < MEMORY_BYTES ? length : MEMORY_BYTES - 1;
	written[0] = (uint8_t)to;
	for (uint32_t byte = 0; byte < length; byte++)
		written[1 + byte] = (uint8_t)(next_random(&memory->state) >> 24);
	messages[0] = (struct i2c_msg){ MEMORY, 0, (uint16_t)(1 + length), written };
	for (uint32_t read = 0; read < READS; read++) {
		at[read] = (uint8_t)(next_random(&memory->state) % MEMORY_BYTES);
		uint16_t bytes = (uint16_t)(1 + next_random(&memory->state) % (MEMORY_BYTES - at[read]));
		messages[1 + 2 * read] = (struct i2c_msg){ MEMORY, 0, 1, &at[read] };
		messages[2 + 2 * read] = (struct i2c_msg){ MEMORY, I2C_M_RD, bytes, found[read] };
		memory->bytes += bytes;
	}
	if (try_transfer(messages, 1 + 2 * READS) != 1 + 2 * READS)
		return -1;
	memcpy(memory->model + to, written + 1, length);
	for (uint32_t read = 0; read < READS; read++)
		if (memcmp(memory->model + at[read], found[read], messages[2 + 2 * read].len) != 0)
			fail("%u bytes from %u are not what was written", messages[2 + 2 * read].len, at[read]);
	memory->writes++;
	memory->reads += READS;
	memory->bytes += length;
	return 0;
}

// Reads the whole memory.
static void read_all(uint8_t *to)
{
	uint8_t start = 0;
	struct i2c_msg messages[2] = { { MEMORY, 0, 1, &start }, { MEMORY, I2C_M_RD, MEMORY_BYTES, to } };

	transfer(messages, 2, "the whole memory");
}

static void memory(uint32_t seed, int count)
{
	struct memory memory = { .state = seed * 2654435761u | 1 };
	uint8_t found[MEMORY_BYTES];

	read_all(memory.model);
	for (int turn = 0; turn < count; turn++)
		if (work(&memory) < 0)
			fail("transfer %d: %s", turn, strerror(errno));
	read_all(found);
	if (memcmp(found, memory.model, MEMORY_BYTES) != 0)
		fail("the memory is not what was written");
	printf("%u writes, %u reads, %u bytes, %u messages at once; then 256 bytes compared\n", memory.writes, memory.reads, memory.bytes, at_once);
}

static void wire(const char *until)
{
	struct memory memory = { .state = 4711 };

	read_all(memory.model);
	printf("begun\n");
	while (access(until, F_OK) != 0)
		if (work(&memory) < 0)
			fail("%u transfers, then a failure", memory.writes);
	printf("%u transfers, none failed\n", memory.writes);
}

// The next event, which must come.
static struct input_event next_event(void)
{
	struct pollfd polled = { .fd = device, .events = POLLIN };
	struct input_event event;

	if (poll(&polled, 1, GUARD_MS) == 0)
		fail("no event came");
	if (read(device, &event, sizeof event) != sizeof event)
		fail("an event cannot be read: %s", strerror(errno));
	return event;
}

static bool is(struct input_event event, uint16_t type, uint16_t code)
{
	return event.type == type && event.code == code;
}

// Linux has thrown events away because this program did not read them in time, or nothing came for ten groups' time: a machine that
// stands still does not give the device its buffers back, and what finds none is left out.
static bool behind;

// Whether groups may be missing that the device is not to blame for; tells it once.
static bool excused(void)
{
	bool was = behind;

	behind = false;
	return was;
}

// The next group with a movement, which it returns; -1 for a group of the key that answers, whose value goes to `answer`.
// Linux tells nobody of a key that is where it was: behind a group that the device left out the key of the next one is missing.
static int next_group(int *answer)
{
	static int key = -1; // nothing is known of it yet
	static int64_t last;
	int moved = -1;

	for (;;) {
		struct input_event event = next_event();
		if (is(event, EV_KEY, KEY_A))
			key = event.value;
		else if (is(event, EV_REL, REL_X))
			moved = event.value;
		else if (is(event, EV_KEY, KEY_B))
			*answer = event.value;
		else if (event.type == EV_LED)
			continue; // what is written is told all readers
		else if (is(event, EV_SYN, SYN_DROPPED)) {
			while (!is(next_event(), EV_SYN, SYN_REPORT))
				;
			key = -1;
			moved = -1;
			behind = true;
		} else if (!is(event, EV_SYN, SYN_REPORT))
			fail("an event of type %u, code %u", event.type, event.code);
		else {
			int64_t now = (int64_t)event.input_event_sec * 1000 + (int64_t)event.input_event_usec / 1000;
			if (last != 0 && now - last >= STALL_MS)
				behind = true;
			last = now;
			if (moved >= 0 && key < 0)
				key = moved % 2;
			if (moved >= 0 && key != moved % 2)
				fail("movement %d with key %d", moved, key);
			return moved;
		}
	}
}

// Reads what the buffers may hold from before this program listened; returns the last movement.
static int begin_anew(void)
{
	int answer, last = 0;

	for (int group = 0; group < STANDING; group++)
		last = next_group(&answer);
	return last;
}

static void groups(uint32_t count)
{
	int answer, last = begin_anew();
	uint32_t breaks = 0;

	for (uint32_t group = 0; group < count;) {
		int moved = next_group(&answer);
		if (moved != last % FARTHEST + 1) {
			if (!excused() || ++breaks > MOST_BREAKS)
				fail("movement %d behind %d", moved, last);
			group = 0;
		} else {
			group++;
		}
		last = moved;
	}
	printf("%u groups in order, key and movement in each\n", count);
}

static void switch_lamp(int on)
{
	struct input_event lit[2] = { { .type = EV_LED, .code = LED_NUML, .value = on }, { .type = EV_SYN } };

	if (write(device, lit, sizeof lit) != sizeof lit)
		fail("a lamp cannot be switched: %s", strerror(errno));
}

static void lamp(uint32_t count)
{
	begin_anew();
	for (uint32_t turn = 0; turn < 2 * count; turn++) {
		int on = turn % 2 == 0, answer = -1;
		uint32_t breaks = 0, waited = 0;
		switch_lamp(on);
		while (answer < 0 || (breaks > 0 && answer != on)) {
			next_group(&answer);
			if (++waited == FARTHEST) {
				// The answer may have been among what Linux threw away or the device left out.
				if (!excused() || ++breaks > MOST_BREAKS)
					fail("no key answers");
				waited = 0;
				answer = -1;
				switch_lamp(!on);
				switch_lamp(on);
			}
		}
		if (answer != on)
			fail("the key says %d", answer);
	}
	printf("%u times on and out, each answered\n", count);
}

static void identity(void)
{
	char name[64] = "", serial[64] = "";
	struct input_id id;
	uint8_t keys[KEY_MAX / 8 + 1] = { 0 }, moves[REL_MAX / 8 + 1] = { 0 }, lamps[LED_MAX / 8 + 1] = { 0 };

	if (ioctl(device, EVIOCGNAME(sizeof name), name) < 0 || ioctl(device, EVIOCGUNIQ(sizeof serial), serial) < 0 || ioctl(device, EVIOCGID, &id) < 0)
		fail("the device does not tell about itself: %s", strerror(errno));
	if (ioctl(device, EVIOCGBIT(EV_KEY, sizeof keys), keys) < 0 || ioctl(device, EVIOCGBIT(EV_REL, sizeof moves), moves) < 0 || ioctl(device, EVIOCGBIT(EV_LED, sizeof lamps), lamps) < 0)
		fail("the device does not tell what it can: %s", strerror(errno));
	printf("%s, %s, ids %x %x %x %x, keys %02x %02x, movements %02x, lamps %02x\n", name, serial, id.bustype, id.vendor, id.product, id.version, keys[KEY_A / 8], keys[KEY_B / 8], moves[0], lamps[0]);
	if (strcmp(name, "guest-keys") != 0 || strcmp(serial, "guest-1") != 0 || id.bustype != 6 || id.vendor != 0x1af4 || id.product != 9 || id.version != 1)
		exit(1);
	if (keys[KEY_A / 8] != 1 << KEY_A % 8 || keys[KEY_B / 8] != 1 << KEY_B % 8 || moves[0] != 1 << REL_X || lamps[0] != 1 << LED_NUML)
		exit(1);
}

static void listen_until(const char *until)
{
	uint32_t done = 0, left_out = 0;
	int answer, last = next_group(&answer);

	printf("begun\n");
	for (; access(until, F_OK) != 0; done++) {
		int moved = next_group(&answer);
		left_out += (uint32_t)(moved - last + FARTHEST - 1) % FARTHEST;
		last = moved;
	}
	printf("%u groups, none failed, %u left out\n", done, left_out);
}

static uint32_t number(int count, char **words, int at)
{
	return count > at ? (uint32_t)atoi(words[at]) : 1;
}

int main(int count, char **words)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count < 3)
		fail("usage: io-tool names|values|edges|wires|sensor|memory|wire|identity|groups|lamp|listen DEVICE ...");
	device = open(words[2], O_RDWR);
	if (device < 0)
		fail("%s: %s", words[2], strerror(errno));
	const char *what = words[1];
	at_once = number(count, words, 3);
	if (strcmp(what, "names") == 0)
		names(number(count, words, 3), count > 4 ? count - 4 : 0, words + 4);
	else if (strcmp(what, "values") == 0)
		values(number(count, words, 3), number(count, words, 4), (int)number(count, words, 5));
	else if (strcmp(what, "edges") == 0)
		edges(number(count, words, 3), number(count, words, 4), number(count, words, 5));
	else if (strcmp(what, "wires") == 0 && count > 3)
		wires(words[3]);
	else if (strcmp(what, "sensor") == 0)
		sensor();
	else if (strcmp(what, "memory") == 0)
		memory(number(count, words, 4), (int)number(count, words, 5));
	else if (strcmp(what, "wire") == 0 && count > 4)
		wire(words[4]);
	else if (strcmp(what, "identity") == 0)
		identity();
	else if (strcmp(what, "groups") == 0)
		groups(number(count, words, 3));
	else if (strcmp(what, "lamp") == 0)
		lamp(number(count, words, 3));
	else if (strcmp(what, "listen") == 0 && count > 3)
		listen_until(words[3]);
	else
		fail("io-tool cannot %s", what);
	return 0;
}
