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

// The sums of one filter, which r2 points to; lr: what is left to do.
#define FILTER           \
    "ldrd r0, r12, [lr]\n" \
    "ldm r2, {r8-r11}\n" \
    "cmp r0, r12\n"      \
    "beq 3f\n"           \
    "2:\n" GROUP GROUP GROUP GROUP \
    "cmp r0, r12\n"      \
    "bne 2b\n"           \
    "3:\n"               \
    "ldr r12, [lr, #8]\n" \
    "cmp r0, r12\n"      \
    "beq 5f\n"           \
    "4:\n" GROUP         \
    "cmp r0, r12\n"      \
    "bne 4b\n"           \
    "5:\n"               \
    "ldrd r12, r3, [lr, #52]\n" \
    "cbz r3, 6f\n"       \
    "sub r1, r3\n" GROUP \
    "6:\n"               \
    "add r1, r12\n"

#define RESULT(sum)                   \
    "add " sum ", r6, " sum ", lsl #1\n" \
    "smmlar " sum ", " sum ", r0, r5\n" \
    "asr " sum ", r12\n"              \
    "ssat " sum ", #8, " sum "\n"
