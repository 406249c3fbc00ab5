// Three pixels with a pair of filters on cores with the DSP extension: 17 instructions for 24 products, and 47 for the six
// results.

// r0 patch, r1 weights; sums of the first filter in r7 to r9, of both in r10 to r12.
#define HALF(weights)                     \
    "ldm r0!, {r2-r4}\n"                  \
    "smlad r10, r2, " weights ", r10\n"   \
    "smlad r11, r3, " weights ", r11\n"   \
    "smlad r12, r4, " weights ", r12\n"   \
    "sxtb16 " weights ", " weights "\n"   \
    "smlad r7, r2, " weights ", r7\n"     \
    "smlad r8, r3, " weights ", r8\n"     \
    "smlad r9, r4, " weights ", r9\n"
#define GROUP "ldrd r5, r6, [r1], #8\n" HALF("r5") HALF("r6")

enum { GROUP_CODE = 64 };

// On the stack: what is left to do, from `y` to `left_out`, where that has become the place of the first round.
#define BEGIN               \
    "push {r4-r11, lr}\n"   \
    "sub sp, #48\n"         \
    "ldr lr, [r0, #48]\n"   \
    "ldm r0, {r1-r12}\n"    \
    "adr r0, 2f\n"          \
    "add r11, r0\n"         \
    "add r11, #1\n"         \
    "stm sp, {r1-r12}\n"    \
    "mov r1, r12\n"

#define PAIR                     \
    "ldrd r0, lr, [sp, #28]\n"   \
    "ldm r2, {r7-r12}\n"         \
    "ldr pc, [sp, #40]\n"        \
    "2:\n" GROUP GROUP GROUP GROUP \
    "cmp r0, lr\n"               \
    "bne 2b\n"                   \
    "ldr r2, [sp, #36]\n"        \
    "add r1, r2\n"

#define RETURN              \
    "add sp, #48\n"         \
    "pop {r4-r11, pc}\n"

// r2 twice the bias, r3 multiplier, r4 what is added, r5 shift; `twice` is the sum, doubled.
#define RESULT(sum, twice)                 \
    "add " sum ", r2, " sum ", " twice "\n" \
    "smmlar " sum ", " sum ", r3, r4\n"    \
    "asr " sum ", r5\n"                    \
    "ssat " sum ", #8, " sum "\n"
#define FIRST(sum) RESULT(sum, "lsl #1")
#define SECOND(sum) RESULT(sum, "asr #7")

__attribute__((naked, noipa)) void nn_pairs_sums(nn_products *p) {
    (void)p;
    __asm volatile(BEGIN
        "str lr, [sp, #44]\n"
        "1:\n"
        "ldr r2, [sp, #20]\n" PAIR
        "ldr r2, [sp, #20]\n"
        "ldr r3, [sp, #44]\n"
        "stm r2!, {r7-r12}\n"
        "str r2, [sp, #20]\n"
        "cmp r2, r3\n"
        "bne 1b\n" RETURN);
}

__attribute__((naked, noipa)) void nn_pairs_results(nn_products *p) {
    (void)p;
    __asm volatile(BEGIN
        "1:\n"
        "ldrd r2, r3, [sp, #20]\n"
        "add r3, r2\n"
        "str r3, [sp, #20]\n" PAIR
        "ldr r0, [sp, #16]\n"
        "sub r10, r7\n"
        "sub r11, r8\n"
        "sub r12, r9\n"
        "ldm r0!, {r2-r5}\n" FIRST("r7") FIRST("r8") FIRST("r9")
        "ldm r0!, {r2-r5}\n" SECOND("r10") SECOND("r11") SECOND("r12")
        "bfi r7, r10, #8, #24\n"
        "bfi r8, r11, #8, #24\n"
        "bfi r9, r12, #8, #24\n"
        "str r0, [sp, #16]\n"
        "ldm sp, {r2-r5}\n"
        "strh r7, [r2], #2\n"
        "strh r8, [r3], #2\n"
        "strh r9, [r4], #2\n"
        "stm sp, {r2-r4}\n"
        "cmp r2, r5\n"
        "bne 1b\n" RETURN);
}
