// Builds one line of text in a buffer on the stack: no allocation, no printf.
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
	size_t length;
	char bytes[256];
};

void text_string(struct text *text, const char *string);
void text_decimal(struct text *text, uint64_t value);
void text_signed(struct text *text, int32_t value);
void text_hex(struct text *text, uint32_t value);

#endif
