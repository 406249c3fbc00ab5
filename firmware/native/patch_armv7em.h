// Products of a patch with filters on cores with the DSP extension (Cortex-M4, M7, M33): 13 instructions for 16.

// r0 patch, r1 weights, r8 to r11 sums.
#define GROUP                 \
    "ldr r7, [r1], #4\n"      \
    "ldm r0!, {r2-r5}\n"      \
    "sxtb16 r6, r7\n"         \
    "sxtb16 r7, r7, ror #8\n" \
    "smlad r8, r2, r6, r8\n"  \
    "smlad r9, r4, r6, r9\n"  \
    "smlad r8, r3, r7, r8\n"  \
    "smlad r9, r5, r7, r9\n"  \
    "ldm r0!, {r2-r5}\n"      \
    "smlad r10, r2, r6, r10\n" \
    "smlad r11, r4, r6, r11\n" \
    "smlad r10, r3, r7, r10\n" \
    "smlad r11, r5, r7, r11\n"

// The end of the patch is r2 bytes before its start: with what is left out of the first round, 48 bytes for each of its
// 32, whole blocks are left.
#define BLOCK GROUP GROUP GROUP GROUP
#define LEFT_OUT         \
    "and r2, #0x60\n"    \
    "add r2, r2, r2, lsr #1\n"

// What is behind the blocks: r1 goes on to the next filter.
#define END                    \
    "ldrd r12, r3, [lr, #32]\n" \
    "cbz r3, 6f\n"             \
    "sub r1, r3\n" GROUP      \
    "6:\n"                    \
    "add r1, r12\n"

#define RESULT(sum)                   \
    "add " sum ", r6, " sum ", lsl #1\n" \
    "smmlar " sum ", " sum ", r0, r5\n" \
    "asr " sum ", r12\n"              \
    "ssat " sum ", #8, " sum "\n"
