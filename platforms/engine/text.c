// Builds one line of text in a buffer on the stack; what does not fit is cut off.
#include "text.h"

static void append(struct text *text, char c)
{
	if (text->length < sizeof text->bytes)
		text->bytes[text->length++] = c;
}

void text_string(struct text *text, const char *string)
{
	while (*string)
		append(text, *string++);
}

void text_decimal(struct text *text, uint64_t value)
{
	char digits[20];
	unsigned count = 0;

	// 32-bit division while that is enough: a Cortex-M divides 64 bits in software.
	while (value > UINT32_MAX) {
		digits[count++] = '0' + (char)(value % 10);
		value /= 10;
	}
	uint32_t low = (uint32_t)value;
	do {
		digits[count++] = '0' + (char)(low % 10);
		low /= 10;
	} while (low);
	while (count)
		append(text, digits[--count]);
}

void text_signed(struct text *text, int32_t value)
{
	if (value < 0)
		append(text, '-');
	text_decimal(text, value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void text_hex(struct text *text, uint32_t value)
{
	for (int shift = 28; shift >= 0; shift -= 4)
		append(text, "0123456789abcdef"[value >> shift & 15]);
}
