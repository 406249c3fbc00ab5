// Depthwise convolution with 3 x 3 taps on Armv6-M (Cortex-M0+), channel by channel.

// r0 x, r1 filters, r2 sum, r7 pixel step, r8 twice that, r9 row step.
#define THREE_TAPS              \
    "ldm r1!, {r3-r5}\n"        \
    "movs r6, #0\n"             \
    "ldrsb r6, [r0, r6]\n"      \
    "muls r3, r6, r3\n"         \
    "adds r2, r2, r3\n"         \
    "ldrsb r6, [r0, r7]\n"      \
    "muls r4, r6, r4\n"         \
    "adds r2, r2, r4\n"         \
    "mov r6, r8\n"              \
    "ldrsb r6, [r0, r6]\n"      \
    "muls r5, r6, r5\n"         \
    "adds r2, r2, r5\n"

// One more where the sum is negative: r2 is its upper half.
#define UP
#define AWAY                    \
    "asrs r3, r2, #31\n"        \
    "adds r6, r6, r3\n"

// r10 y, r11 from the last row of a channel to the first one of the next, r12 2^14, lr the end of the filters. The product
// is that of nn_quick_product. The stack: pixels to come, steps of x and of y from pixel to pixel, filters, x.
#define PIXELS(ROUND)           \
    ".syntax unified\n"         \
    "push {r4-r7, lr}\n"        \
    "mov r4, r8\n"              \
    "mov r5, r9\n"              \
    "mov r6, r10\n"             \
    "mov r7, r11\n"             \
    "push {r4-r7}\n"            \
    "ldm r0!, {r1-r7}\n"        \
    "ldr r0, [r0]\n"            \
    "mov r10, r6\n"             \
    "subs r6, r7, #4\n"         \
    "mov r7, r3\n"              \
    "lsls r3, r3, #1\n"         \
    "mov r8, r3\n"              \
    "mov r9, r4\n"              \
    "lsls r4, r4, #1\n"         \
    "movs r3, #1\n"             \
    "subs r4, r3, r4\n"         \
    "mov r11, r4\n"             \
    "lsls r3, r3, #14\n"        \
    "mov r12, r3\n"             \
    "movs r3, #224\n"           \
    "adds r3, r3, r2\n"         \
    "mov lr, r3\n"              \
    "mov r4, r6\n"              \
    "mov r3, r5\n"              \
    "mov r5, r2\n"              \
    "mov r6, r1\n"              \
    "mov r2, r0\n"              \
    "push {r2-r6}\n"            \
    "1:\n"                      \
    "ldr r1, [sp, #12]\n"       \
    "ldr r0, [sp, #16]\n"       \
    "2:\n"                      \
    "ldm r1!, {r2}\n" THREE_TAPS \
    "add r0, r9\n" THREE_TAPS   \
    "add r0, r9\n" THREE_TAPS   \
    "add r0, r11\n"             \
    "ldm r1!, {r4, r5}\n"       \
    "sxth r3, r2\n"             \
    "subs r2, r2, r3\n"         \
    "asrs r2, r2, #16\n"        \
    "movs r6, r4\n"             \
    "muls r6, r3, r6\n"         \
    "asrs r6, r6, #16\n"        \
    "muls r3, r5, r3\n"         \
    "adds r6, r6, r3\n"         \
    "muls r4, r2, r4\n"         \
    "adds r6, r6, r4\n"         \
    "muls r5, r2, r5\n"         \
    "lsls r5, r5, #1\n"         \
    "add r6, r12\n"             \
    "asrs r6, r6, #15\n"        \
    "adds r6, r6, r5\n"         \
    "ldm r1!, {r4, r5}\n" ROUND \
    "adds r6, r6, r4\n"         \
    "asrs r6, r5\n"             \
    "sxtb r2, r6\n"             \
    "cmp r2, r6\n"              \
    "beq 3f\n"                  \
    "asrs r2, r6, #31\n"        \
    "movs r4, #127\n"           \
    "eors r2, r4\n"             \
    "3:\n"                      \
    "mov r3, r10\n"             \
    "strb r2, [r3]\n"           \
    "adds r3, #1\n"             \
    "mov r10, r3\n"             \
    "cmp r1, lr\n"              \
    "bne 2b\n"                  \
    "ldr r0, [sp, #16]\n"       \
    "ldr r1, [sp, #4]\n"        \
    "adds r0, r0, r1\n"         \
    "str r0, [sp, #16]\n"       \
    "ldr r1, [sp, #8]\n"        \
    "add r10, r1\n"             \
    "ldr r0, [sp]\n"            \
    "subs r0, #1\n"             \
    "str r0, [sp]\n"            \
    "bne 1b\n"                  \
    "add sp, #20\n"             \
    "pop {r4-r7}\n"             \
    "mov r8, r4\n"              \
    "mov r9, r5\n"              \
    "mov r10, r6\n"             \
    "mov r11, r7\n"             \
    "pop {r4-r7, pc}\n"

__attribute__((naked, noipa)) static void results_up(nn_four_run *run) {
    (void)run;
    __asm volatile(PIXELS(UP));
}

__attribute__((naked, noipa)) static void results_away(nn_four_run *run) {
    (void)run;
    __asm volatile(PIXELS(AWAY));
}

static void row_of_results(nn_four_run *run, int32_t away) {
    (away ? results_away : results_up)(run);
}
