// Depthwise 3 x 3 on Armv7-M without the DSP extension (Cortex-M3): four channels of a pixel in 150 instructions.

// r4 to r7 sums, r0 x, r2 weights.
#define TAP                  \
    "ldm r2!, {r8-r11}\n"    \
    "ldrsb r3, [r0]\n"       \
    "mla r4, r3, r8, r4\n"   \
    "ldrsb r3, [r0, #1]\n"   \
    "mla r5, r3, r9, r5\n"   \
    "ldrsb r3, [r0, #2]\n"   \
    "mla r6, r3, r10, r6\n"  \
    "ldrsb r3, [r0, #3]\n"   \
    "mla r7, r3, r11, r7\n"

#define ROW TAP "add r0, r1\n" TAP "add r0, r1\n" TAP

// r2 multipliers, then offsets, then shifts; r12 `away`; the product is rounded by its lower half.
#define RESULT(sum, at)                \
    "ldr r8, [r2, #4*" at "]\n"        \
    "ldr r10, [r2, #16+4*" at "]\n"    \
    "ldr r11, [r2, #32+4*" at "]\n"    \
    "mov r9, #0x80000000\n"            \
    "lsl " sum ", #1\n"                \
    "smlal r9, r10, " sum ", r8\n"     \
    "and " sum ", r12, " sum ", asr #31\n" \
    "add r10, " sum "\n"               \
    "asr r10, r11\n"                   \
    "ssat r10, #8, r10\n"              \
    "strb r10, [r0, #" at "]\n"

// The stack: what is left of the run, with the steps from the last tap of a row to the next row's first; then `away`.
__attribute__((naked, noipa)) static void row_of_results(nn_four_run *run, int32_t away) {
    (void)run;
    (void)away;
    __asm volatile(
        "push {r1, r4-r11, lr}\n"
        "sub sp, #36\n"
        "ldm r0, {r1-r9}\n"
        "sub r4, r4, r3, lsl #1\n"
        "sub r9, r9, r3, lsl #1\n"
        "stm sp, {r1-r9}\n"
        "mov r0, r1\n"
        "1:\n"
        "ldrd r2, r1, [sp, #4]\n"
        "ldm r2!, {r4-r7}\n" ROW
        "ldr r12, [sp, #12]\n"
        "add r0, r12\n" ROW
        "ldr r12, [sp, #32]\n"
        "add r0, r12\n" ROW
        "ldr r0, [sp, #20]\n"
        "ldr r12, [sp, #36]\n" RESULT("r4", "0") RESULT("r5", "1") RESULT("r6", "2") RESULT("r7", "3")
        "ldr r1, [sp, #24]\n"
        "add r1, r0\n"
        "str r1, [sp, #20]\n"
        "ldr r0, [sp]\n"
        "ldr r1, [sp, #16]\n"
        "add r0, r1\n"
        "str r0, [sp]\n"
        "ldr r1, [sp, #28]\n"
        "subs r1, #1\n"
        "str r1, [sp, #28]\n"
        "bne 1b\n"
        "add sp, #40\n"
        "pop {r4-r11, pc}\n");
}
