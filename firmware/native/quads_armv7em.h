// One run of elements with two pairs of outputs on cores with the DSP extension: 14 instructions for 16 products, and 39 for
// the four results.

// r0 x, r1 weights; sums: r8 and r10 the first outputs of each pair, r9 and r11 both of it.
#define HALF(x, one, two)                 \
    "smlad r9, " x ", " one ", r9\n"      \
    "smlad r11, " x ", " two ", r11\n"    \
    "sxtb16 " one ", " one "\n"           \
    "sxtb16 " two ", " two "\n"           \
    "smlad r8, " x ", " one ", r8\n"      \
    "smlad r10, " x ", " two ", r10\n"
#define GROUP                             \
    "ldm r0!, {r2, r3}\n"                 \
    "ldm r1!, {r4-r7}\n" HALF("r2", "r4", "r6") HALF("r3", "r5", "r7")

enum { GROUP_CODE = 52 };

// On the stack: what is left to do, from `y` to `left_out`, where that has become the place of the first round.
#define BEGIN               \
    "push {r4-r11, lr}\n"   \
    "sub sp, #44\n"         \
    "ldr lr, [r0, #40]\n"   \
    "ldm r0, {r1-r10}\n"    \
    "adr r0, 2f\n"          \
    "add r9, r0\n"          \
    "add r9, #1\n"          \
    "stm sp, {r1-r10}\n"    \
    "mov r1, r10\n"

#define QUAD_OF(sums)            \
    "ldrd r0, r12, [sp, #20]\n"  \
    "ldm " sums ", {r8-r11}\n"   \
    "ldr pc, [sp, #32]\n"        \
    "2:\n" GROUP GROUP GROUP GROUP \
    "cmp r0, r12\n"              \
    "bne 2b\n"                   \
    "ldr r2, [sp, #28]\n"        \
    "add r1, r2\n"

#define RETURN              \
    "add sp, #44\n"         \
    "pop {r4-r11, pc}\n"

// r2 twice the bias, r3 multiplier, r4 what is added, r5 shift; `twice` is the sum, doubled.
#define RESULT(sum, twice)                  \
    "ldm lr!, {r2-r5}\n"                   \
    "add " sum ", r2, " sum ", " twice "\n" \
    "smmlar " sum ", " sum ", r3, r4\n"     \
    "asr " sum ", r5\n"                     \
    "ssat " sum ", #8, " sum "\n"

// Add the products to the sums, up to sums_end.
__attribute__((naked, noipa)) static void add_products(const quads *q) {
    (void)q;
    __asm volatile(BEGIN
        "1:\n"
        "ldr r2, [sp, #12]\n" QUAD_OF("r2")
        "ldr r2, [sp, #12]\n"
        "stm r2!, {r8-r11}\n"
        "str r2, [sp, #12]\n"
        "cmp r2, lr\n"
        "bne 1b\n" RETURN);
}

// Add them to the sums, which stay as they are, and write the results, up to y_end.
__attribute__((naked, noipa)) static void write_results(const quads *q) {
    (void)q;
    __asm volatile(BEGIN
        "1:\n"
        "ldrd r2, r3, [sp, #12]\n"
        "add r3, r2\n"
        "str r3, [sp, #12]\n" QUAD_OF("r2")
        "ldr lr, [sp, #8]\n"
        "sub r9, r8\n"
        "sub r11, r10\n" RESULT("r8", "lsl #1") RESULT("r9", "asr #7") RESULT("r10", "lsl #1") RESULT("r11", "asr #7")
        "ldrd r2, r3, [sp]\n"
        "str lr, [sp, #8]\n"
        "bfi r8, r9, #8, #24\n"
        "bfi r10, r11, #8, #24\n"
        "pkhbt r8, r8, r10, lsl #16\n"
        "str r8, [r2], #4\n"
        "str r2, [sp]\n"
        "cmp r2, r3\n"
        "bne 1b\n" RETURN);
}
