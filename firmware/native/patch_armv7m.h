// Products of a patch with filters on Armv7-M without the DSP extension (Cortex-M3): 6 instructions for 4.

// r0 patch, r1 weights, r8 to r11 sums.
#define ELEMENT            \
    "ldrsb r6, [r1], #1\n" \
    "ldm r0!, {r2-r5}\n"   \
    "mla r8, r2, r6, r8\n" \
    "mla r9, r3, r6, r9\n" \
    "mla r10, r4, r6, r10\n" \
    "mla r11, r5, r6, r11\n"

// The end of the patch is r2 bytes before its start: with what is left out of the first round, 22 bytes for each of its
// 16, whole blocks are left.
#define BLOCK ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT
#define LEFT_OUT         \
    "ubfx r2, r2, #4, #3\n" \
    "mov r3, #22\n"      \
    "mul r2, r3\n"

#define END                   \
    "ldr r12, [lr, #32]\n"   \
    "add r1, r12\n"

// r0 multiplier, r5 offset, r6 twice the bias, r12 shift; the product is rounded by its lower half.
#define RESULT(sum)                   \
    "add " sum ", r6, " sum ", lsl #1\n" \
    "mov r2, #0x80000000\n"           \
    "mov r3, r5\n"                    \
    "smlal r2, r3, " sum ", r0\n"     \
    "asr r3, r12\n"                   \
    "ssat " sum ", #8, r3\n"
