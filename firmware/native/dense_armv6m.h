// Fully connected layers on Armv6-M (Cortex-M0+): 13 instructions for 4 products.

// Every fourth element of x comes first, so that r0 is the weights' index, too: r0 x, r1 to r4 + r0 weights, r5 bytes of a
// quarter of x, r8 to r11 sums, r12 the end of this quarter, lr that of x.
#define OUTPUT(w, sum)        \
    "ldrsb r7, [" w ", r0]\n" \
    "muls r7, r6, r7\n"       \
    "add " sum ", r7\n"
#define ELEMENT "ldm r0!, {r6}\n" OUTPUT("r1", "r8") OUTPUT("r2", "r9") OUTPUT("r3", "r10") OUTPUT("r4", "r11")

__attribute__((naked, noipa)) void nn_dense_add(nn_dense *d) {
    (void)d;
    __asm volatile(
        ".syntax unified\n"
        "push {r4-r7, lr}\n"
        "mov r4, r8\n"
        "mov r5, r9\n"
        "mov r6, r10\n"
        "mov r7, r11\n"
        "push {r0, r4-r7}\n"
        "mov r7, r0\n"
        "ldm r7!, {r0-r2, r6}\n"
        "mov lr, r6\n"
        "ldm r7!, {r3-r5}\n"
        "ldr r7, [r7]\n"
        "mov r8, r3\n"
        "mov r9, r4\n"
        "mov r10, r5\n"
        "mov r11, r7\n"
        "subs r5, r6, r0\n"
        "lsrs r5, r5, #2\n"
        "mov r12, r0\n"
        "subs r1, r1, r0\n"
        "subs r1, #4\n" // r0 is one further on when a weight is loaded
        "mov r6, r2\n"
        "adds r2, r1, r6\n"
        "adds r3, r2, r6\n"
        "adds r4, r3, r6\n"
        "1:\n"
        "add r12, r5\n"
        "2:\n"
        "mov r6, r12\n"
        "subs r6, r6, r0\n"
        "beq 4f\n"
        "lsls r6, r6, #27\n"
        "beq 3f\n" ELEMENT
        "b 2b\n"
        "3:\n" ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT
        "cmp r0, r12\n"
        "bne 3b\n"
        "4:\n"
        "movs r6, #1\n"
        "subs r6, r6, r5\n"
        "adds r1, r1, r6\n"
        "adds r2, r2, r6\n"
        "adds r3, r3, r6\n"
        "adds r4, r4, r6\n"
        "cmp r0, lr\n"
        "beq 5f\n"
        "b 1b\n"
        "5:\n"
        "pop {r0}\n"
        "adds r0, #16\n"
        "mov r1, r8\n"
        "mov r2, r9\n"
        "mov r3, r10\n"
        "mov r4, r11\n"
        "stm r0!, {r1-r4}\n"
        "pop {r4-r7}\n"
        "mov r8, r4\n"
        "mov r9, r5\n"
        "mov r10, r6\n"
        "mov r11, r7\n"
        "pop {r4-r7, pc}\n");
}

// r0 sums, r6 multipliers, r7 shifts, r8 y, r9 its step, r10 the odd number, r11 2^14; the product is that of
// nn_quick_product.
#define RESULT                \
    "ldm r0!, {r1}\n"         \
    "sxth r2, r1\n"           \
    "subs r1, r1, r2\n"       \
    "asrs r1, r1, #16\n"      \
    "ldm r6!, {r4}\n"         \
    "uxth r3, r4\n"           \
    "asrs r4, r4, #16\n"      \
    "movs r5, r3\n"           \
    "muls r5, r2, r5\n"       \
    "asrs r5, r5, #16\n"      \
    "muls r2, r4, r2\n"       \
    "adds r5, r5, r2\n"       \
    "muls r3, r1, r3\n"       \
    "adds r5, r5, r3\n"       \
    "muls r4, r1, r4\n"       \
    "add r5, r11\n"           \
    "asrs r5, r5, #15\n"      \
    "lsls r4, r4, #1\n"       \
    "adds r5, r5, r4\n"       \
    "ldm r7!, {r1}\n"         \
    "mvns r1, r1\n"           \
    "mov r2, r10\n"           \
    "lsls r2, r1\n"           \
    "adds r5, r5, r2\n"       \
    "adds r1, #1\n"           \
    "asrs r5, r1\n"           \
    "sxtb r1, r5\n"           \
    "cmp r1, r5\n"            \
    "beq 1f\n"                \
    "asrs r1, r5, #31\n"      \
    "movs r2, #127\n"         \
    "eors r1, r2\n"           \
    "1:\n"                    \
    "mov r2, r8\n"            \
    "strb r1, [r2]\n"         \
    "add r8, r9\n"

__attribute__((naked, noipa)) void nn_dense_bytes(const uint32_t *sums, const int32_t *multiplier, const int32_t *shift,
    int32_t odd, int8_t *y, int32_t step) {
    (void)sums;
    (void)multiplier;
    (void)shift;
    (void)odd;
    (void)y;
    (void)step;
    __asm volatile(
        ".syntax unified\n"
        "push {r4-r7, lr}\n"
        "mov r4, r8\n"
        "mov r5, r9\n"
        "mov r6, r10\n"
        "mov r7, r11\n"
        "push {r4-r7}\n"
        "ldr r4, [sp, #36]\n"
        "mov r8, r4\n"
        "ldr r4, [sp, #40]\n"
        "mov r9, r4\n"
        "mov r10, r3\n"
        "movs r4, #1\n"
        "lsls r4, r4, #14\n"
        "mov r11, r4\n"
        "mov r6, r1\n"
        "mov r7, r2\n" RESULT RESULT RESULT RESULT
        "pop {r4-r7}\n"
        "mov r8, r4\n"
        "mov r9, r5\n"
        "mov r10, r6\n"
        "mov r11, r7\n"
        "pop {r4-r7, pc}\n");
}
