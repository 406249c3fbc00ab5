// Fully connected layers on Armv7-M without the DSP extension (Cortex-M3): 33 instructions for 16 products.

// r0 x, r1 to r4 weights, r5 to r8 sums.
#define OUTPUT(x, w, sum)          \
    "ldrsb r11, [" w "], #1\n"     \
    "mla " sum ", " x ", r11, " sum "\n"
#define ELEMENT(x) OUTPUT(x, "r1", "r5") OUTPUT(x, "r2", "r6") OUTPUT(x, "r3", "r7") OUTPUT(x, "r4", "r8")
#define GROUP "ldm r0!, {r9, r10, r12, lr}\n" ELEMENT("r9") ELEMENT("r10") ELEMENT("r12") ELEMENT("lr")

// From r0 x, r1 weights, r2 their step, r3 the end of x, r9 what the first round leaves out, in bytes of code.
__attribute__((naked, noipa, used)) static void add_products(void) {
    __asm volatile(
        "push {r3, lr}\n"
        "add r3, r1, r2, lsl #1\n"
        "add r4, r3, r2\n"
        "add r2, r1\n"
        "add pc, r9\n"
        "nop\n"
        "1:\n" GROUP GROUP GROUP GROUP
        "ldr r11, [sp]\n"
        "cmp r0, r11\n"
        "bne 1b\n"
        "pop {r3, pc}\n");
}

__attribute__((naked, noipa)) void nn_dense_add(nn_dense *d) {
    (void)d;
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "ldm r0, {r0-r3, r5-r9}\n"
        "bl add_products\n"
        "pop {r0}\n"
        "add r0, #16\n"
        "stm r0, {r5-r8}\n"
        "pop {r4-r11, pc}\n");
}

// r0 shifts, r12 the odd number, lr y; as nn_quick_scaled, but the odd number is added when all but one bit has been dropped.
#define RESULT(sum, multiplier)                \
    "lsl " sum ", #2\n"                        \
    "smull r11, r10, " sum ", " multiplier "\n" \
    "ldr r9, [r0], #4\n"                       \
    "rsb r9, #0\n"                             \
    "add r10, #1\n"                            \
    "asr r10, r9\n"                            \
    "add r10, r12\n"                           \
    "ssat r10, #8, r10, asr #1\n"              \
    "strb r10, [lr], #1\n"

__attribute__((naked, noipa)) void nn_dense_results(nn_dense *d) {
    (void)d;
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "mov r12, r0\n"
        "1:\n"
        "ldr r0, [r12, #36]\n"
        "ldm r0!, {r5-r8}\n"
        "str r0, [r12, #36]\n"
        "ldr r9, [r12, #32]\n"
        "ldm r12, {r0-r3}\n"
        "add r4, r1, r2, lsl #2\n"
        "str r4, [r12, #4]\n"
        "bl add_products\n"
        "ldr r12, [sp]\n"
        "ldrd r9, r0, [r12, #40]\n"
        "ldm r9!, {r1-r4}\n"
        "str r9, [r12, #40]\n"
        "ldr lr, [r12, #52]\n"
        "ldr r12, [r12, #48]\n" RESULT("r5", "r1") RESULT("r6", "r2") RESULT("r7", "r3") RESULT("r8", "r4")
        "ldr r12, [sp]\n"
        "str r0, [r12, #44]\n"
        "str lr, [r12, #52]\n"
        "ldr r0, [r12, #56]\n"
        "cmp lr, r0\n"
        "bne 1b\n"
        "pop {r0, r4-r11, pc}\n");
}
