// Products of a patch with filters on Armv7-M without the DSP extension (Cortex-M3): 6 instructions for 4.

// r0 patch, r1 weights, r8 to r11 sums.
#define ELEMENT            \
    "ldrsb r6, [r1], #1\n" \
    "ldm r0!, {r2-r5}\n"   \
    "mla r8, r2, r6, r8\n" \
    "mla r9, r3, r6, r9\n" \
    "mla r10, r4, r6, r10\n" \
    "mla r11, r5, r6, r11\n"

// The sums of one filter, which r2 points to; lr: what is left to do.
#define FILTER           \
    "ldrd r0, r12, [lr]\n" \
    "ldm r2, {r8-r11}\n" \
    "cmp r0, r12\n"      \
    "beq 3f\n"           \
    "2:\n" ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT \
    "cmp r0, r12\n"      \
    "bne 2b\n"           \
    "3:\n"               \
    "ldr r12, [lr, #8]\n" \
    "cmp r0, r12\n"      \
    "beq 5f\n"           \
    "4:\n" ELEMENT       \
    "cmp r0, r12\n"      \
    "bne 4b\n"           \
    "5:\n"               \
    "ldr r12, [lr, #52]\n" \
    "add r1, r12\n"

// r0 multiplier, r5 offset, r6 twice the bias, r12 shift; the product is rounded by its lower half.
#define RESULT(sum)                   \
    "add " sum ", r6, " sum ", lsl #1\n" \
    "mov r2, #0x80000000\n"           \
    "mov r3, r5\n"                    \
    "smlal r2, r3, " sum ", r0\n"     \
    "asr r3, r12\n"                   \
    "ssat " sum ", #8, r3\n"
