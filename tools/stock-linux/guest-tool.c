// What the checks inside the guest need beyond busybox: direct I/O whose contents are known, discards, zeroing, traffic.
//
//   guest-tool random DEVICE SEED COUNT     COUNT random transfers by each of four processes, then everything is read and compared
//   guest-tool move DEVICE MEBIBYTES        so much is written in long requests, read back and compared
//   guest-tool discard|zero DEVICE          a range between two others is discarded or zeroed
//   guest-tool rate FILE DEPTH SECONDS BYTES  DEPTH processes read so many bytes at a time, from random places of a disk; prints REQUESTS MICROSECONDS
//   guest-tool traffic DEVICE FILE          four processes read and write until FILE exists or a transfer fails; says when it begins
// The last line says what was done; the status is 0 when everything was as it must be.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "verdict.h"

enum { SECTOR = 512, WORKERS = 4, LONGEST = 128 * SECTOR, MEBIBYTE = 1 << 20 };

static int disk;
static uint64_t disk_bytes;

static void *memory(size_t bytes)
{
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED)
		fail("no memory");
	return base;
}

static void pattern(uint8_t *to, size_t bytes, uint32_t seed)
{
	uint32_t state = seed * 2654435761u | 1;

	for (size_t at = 0; at < bytes; at += sizeof state) {
		next_random(&state);
		memcpy(to + at, &state, sizeof state);
	}
}

static void transfer(bool write, uint8_t *memory, size_t bytes, uint64_t at)
{
	ssize_t done = write ? pwrite(disk, memory, bytes, (off_t)at) : pread(disk, memory, bytes, (off_t)at);

	if (done != (ssize_t)bytes)
		fail("%s of %zu bytes at %llu: %s", write ? "write" : "read", bytes, (unsigned long long)at, done < 0 ? strerror(errno) : "short");
}

static void compare(const uint8_t *found, const uint8_t *wanted, size_t bytes, uint64_t at)
{
	for (size_t byte = 0; byte < bytes; byte++)
		if (found[byte] != wanted[byte])
			fail("byte %llu is %02x, not %02x", (unsigned long long)(at + byte), found[byte], wanted[byte]);
}

struct tally {
	uint32_t writes, reads, checksum;
	uint64_t bytes;
};

// One process works in a quarter of the disk, so that several requests are under way and each knows what it must read.
static void work(uint64_t from, size_t bytes, uint32_t seed, int count, struct tally *tally)
{
	uint8_t *model = memory(bytes), *buffer = memory(2 * LONGEST);
	uint32_t state = seed;

	for (size_t at = 0; at < bytes; at += LONGEST)
		transfer(false, model + at, LONGEST, from + at);
	for (int turn = 0; turn < count; turn++) {
		size_t length = (1 + next_random(&state) % (LONGEST / SECTOR)) * SECTOR;
		size_t at = next_random(&state) % ((bytes - length) / SECTOR + 1) * SECTOR;
		// Anywhere in a page, so that a request has one piece more than pages.
		uint8_t *place = buffer + next_random(&state) % 8 * SECTOR;
		if (next_random(&state) % 3) {
			pattern(place, length, state);
			transfer(true, place, length, from + at);
			memcpy(model + at, place, length);
			tally->writes++;
		} else {
			transfer(false, place, length, from + at);
			compare(place, model + at, length, from + at);
			tally->reads++;
		}
		tally->bytes += length;
	}
	for (size_t at = 0; at < bytes; at += LONGEST) {
		transfer(false, buffer, LONGEST, from + at);
		compare(buffer, model + at, LONGEST, from + at);
		for (size_t byte = 0; byte < LONGEST; byte++)
			tally->checksum = tally->checksum * 31 + buffer[byte];
	}
}

static void random_transfers(uint32_t seed, int count)
{
	struct tally *tallies = memory(WORKERS * sizeof *tallies), sum = { 0 };
	size_t bytes = disk_bytes / WORKERS;
	int status;
	bool good = true;

	for (uint32_t worker = 0; worker < WORKERS; worker++) {
		if (fork() == 0) {
			work(worker * bytes, bytes, seed * WORKERS + worker + 1, count, &tallies[worker]);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		good &= status == 0;
	if (!good)
		exit(1);
	for (uint32_t worker = 0; worker < WORKERS; worker++) {
		sum.writes += tallies[worker].writes;
		sum.reads += tallies[worker].reads;
		sum.bytes += tallies[worker].bytes;
		sum.checksum ^= tallies[worker].checksum;
	}
	printf("%u writes, %u reads, %llu KiB, then %llu KiB compared, checksum %08x\n", sum.writes, sum.reads, (unsigned long long)sum.bytes / 1024, (unsigned long long)disk_bytes / 1024, sum.checksum);
}

static void move(uint32_t mebibytes)
{
	uint8_t *wanted = memory(MEBIBYTE), *found = memory(MEBIBYTE);
	uint32_t on_disk = (uint32_t)(disk_bytes / MEBIBYTE);

	for (uint32_t moved = 0; moved < mebibytes; moved += on_disk) {
		uint32_t turn = mebibytes - moved < on_disk ? mebibytes - moved : on_disk;
		for (uint32_t at = 0; at < turn; at++) {
			pattern(wanted, MEBIBYTE, moved + at);
			transfer(true, wanted, MEBIBYTE, (uint64_t)at * MEBIBYTE);
		}
		for (uint32_t at = 0; at < turn; at++) {
			pattern(wanted, MEBIBYTE, moved + at);
			transfer(false, found, MEBIBYTE, (uint64_t)at * MEBIBYTE);
			compare(found, wanted, MEBIBYTE, (uint64_t)at * MEBIBYTE);
		}
	}
	printf("%u MiB written, %u MiB read and compared\n", mebibytes, mebibytes);
}

static void range(bool discard)
{
	enum { WHOLE = 64 * SECTOR, FROM = 13 * SECTOR, BYTES = 29 * SECTOR };
	uint64_t part[2] = { FROM, BYTES };
	uint8_t *wanted = memory(WHOLE), *found = memory(WHOLE);

	pattern(wanted, WHOLE, discard ? 77 : 78);
	transfer(true, wanted, WHOLE, 0);
	if (ioctl(disk, discard ? BLKDISCARD : BLKZEROOUT, part) < 0)
		fail("the request failed: %s", strerror(errno));
	memset(wanted + FROM, 0, BYTES);
	transfer(false, found, WHOLE, 0);
	compare(found, wanted, WHOLE, 0);
	printf("sectors 13 to 41 are zero, those around them as they were\n");
}

// One process moves data until the file is there; returns false when a transfer failed.
static bool carry(const char *until, uint32_t seed, uint32_t *done)
{
	uint8_t *buffer = memory(LONGEST);
	uint32_t state = seed;

	pattern(buffer, LONGEST, 1);
	while (access(until, F_OK) != 0) {
		size_t length = (1 + next_random(&state) % (LONGEST / SECTOR)) * SECTOR;
		off_t at = (off_t)(next_random(&state) % ((disk_bytes - length) / SECTOR) * SECTOR);
		bool write = next_random(&state) % 2;
		if ((write ? pwrite(disk, buffer, length, at) : pread(disk, buffer, length, at)) != (ssize_t)length)
			return false;
		*done += 1;
	}
	return true;
}

// Several processes, so that requests are under way while others are finished.
static void traffic(const char *until)
{
	uint32_t *counts = memory(WORKERS * sizeof *counts), done = 0;
	int status;
	bool good = true;

	printf("begun\n");
	for (uint32_t worker = 0; worker < WORKERS; worker++)
		if (fork() == 0)
			_exit(!carry(until, 4711 + worker, &counts[worker]));
	while (wait(&status) > 0)
		good &= status == 0;
	for (uint32_t worker = 0; worker < WORKERS; worker++)
		done += counts[worker];
	if (!good)
		fail("%u transfers, then a failure", done);
	printf("%u transfers, none failed\n", done);
}

static uint64_t microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void rate(const char *file, uint32_t depth, uint32_t seconds, size_t bytes)
{
	struct stat status;
	uint64_t from, *counts = memory(depth * sizeof *counts), all = 0;

	if (stat(file, &status) < 0)
		fail("%s: %s", file, strerror(errno));
	bool is_disk = S_ISBLK(status.st_mode);
	int from_file = open(file, is_disk ? O_RDONLY | O_DIRECT : O_RDONLY);
	if (from_file < 0 || (is_disk && ioctl(from_file, BLKGETSIZE64, &disk_bytes) < 0))
		fail("%s: %s", file, strerror(errno));
	from = microseconds();
	for (uint32_t worker = 0; worker < depth; worker++) {
		if (fork() != 0)
			continue;
		uint8_t *buffer = memory(bytes);
		uint32_t state = worker + 1;
		while (microseconds() - from < (uint64_t)seconds * 1000000) {
			off_t at = is_disk ? (off_t)(next_random(&state) % (disk_bytes / bytes) * bytes) : 0;
			if ((is_disk ? pread(from_file, buffer, bytes, at) : read(from_file, buffer, bytes)) != (ssize_t)bytes)
				_exit(1);
			counts[worker]++;
		}
		_exit(0);
	}
	for (int ended; wait(&ended) > 0;)
		if (ended != 0)
			fail("a read failed");
	for (uint32_t worker = 0; worker < depth; worker++)
		all += counts[worker];
	printf("%llu %llu\n", (unsigned long long)all, (unsigned long long)(microseconds() - from));
}

int main(int count, char **words)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count < 3)
		fail("usage: guest-tool random|move|discard|zero|rate|traffic DEVICE ...");
	if (strcmp(words[1], "rate") == 0 && count == 6) {
		rate(words[2], (uint32_t)atoi(words[3]), (uint32_t)atoi(words[4]), (size_t)atoi(words[5]));
		return 0;
	}
	disk = open(words[2], O_RDWR | O_DIRECT);
	if (disk < 0 || ioctl(disk, BLKGETSIZE64, &disk_bytes) < 0)
		fail("%s: %s", words[2], strerror(errno));
	const char *what = words[1], *value = count > 3 ? words[3] : "1";
	if (strcmp(what, "random") == 0)
		random_transfers((uint32_t)atoi(value), count > 4 ? atoi(words[4]) : 1);
	else if (strcmp(what, "move") == 0)
		move((uint32_t)atoi(value));
	else if (strcmp(what, "discard") == 0 || strcmp(what, "zero") == 0)
		range(strcmp(what, "discard") == 0);
	else if (strcmp(what, "traffic") == 0)
		traffic(value);
	else
		fail("guest-tool cannot %s", what);
	return 0;
}
