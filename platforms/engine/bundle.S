// One bundle, as text or in the engine's own form, linked into the image byte for byte: BUNDLE_FILE under the name BUNDLE_SYMBOL.
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

	.section .rodata.bundle, "a"
	.global BUNDLE_SYMBOL, JOIN(BUNDLE_SYMBOL, _end)
	.balign 8
BUNDLE_SYMBOL:
	.incbin BUNDLE_FILE
JOIN(BUNDLE_SYMBOL, _end):
