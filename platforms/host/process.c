// What machines that are Linux processes share: memory, bundles, options, random bytes, and coherent memory's barriers.
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seeded-random.h"

static bool seeded;

void process_give_up(const char *what, const char *which)
{
	fprintf(stderr, "%s: %s %s\n", program_invocation_short_name, what, which);
	exit(64);
}

void process_seed(uint32_t seed)
{
	seeded_random_start(seed);
	seeded = true;
}

uint32_t machine_random(uint8_t *to, uint32_t bytes)
{
	if (seeded) {
		seeded_random_fill(to, bytes);
		return bytes;
	}
	ssize_t placed = getrandom(to, bytes, GRND_NONBLOCK);
	return placed < 0 ? 0 : (uint32_t)placed;
}

void machine_barrier(void)
{
	__sync_synchronize();
}

// A host's time says nothing about a coprocessor's, so busy time is not counted here.
uint64_t machine_ticks(void)
{
	return 0;
}

uint32_t machine_instructions_per_tick(void)
{
	return 0;
}

uint8_t *process_map(const char *file, size_t bytes)
{
	int descriptor = -1;

	if (file) {
		struct stat status;
		descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (descriptor < 0 || fstat(descriptor, &status) < 0 ||
		    (status.st_size < (off_t)bytes && ftruncate(descriptor, (off_t)bytes) < 0))
			process_give_up("cannot use the memory file", file);
	}
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
			  descriptor, 0);
	if (base == MAP_FAILED)
		process_give_up("no memory for", file ? file : "the windows, heaps and stacks");
	return base;
}

struct machine_bundle process_load(const char *file)
{
	FILE *stream = fopen(file, "rb");
	struct stat status;

	if (stream == NULL || fstat(fileno(stream), &status) < 0)
		process_give_up("cannot read the bundle", file);
	char *text = malloc((size_t)status.st_size + 1);
	if (text == NULL || fread(text, 1, (size_t)status.st_size, stream) != (size_t)status.st_size)
		process_give_up("cannot read the bundle", file);
	fclose(stream);
	const char *slash = strrchr(file, '/');
	return (struct machine_bundle){ text, (size_t)status.st_size, slash ? slash + 1 : file };
}

unsigned long long process_count(const char *text, const char *option, unsigned long long least, unsigned long long most)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	if (*text == '-' || end == text || *end || value < least || value > most)
		process_give_up("this option has no usable number:", option);
	return value;
}
