// Products of a patch with filters on Armv6-M (Cortex-M0+): 11 instructions for 4, and 25 for each filter. MULS writes over a factor: the patch's,
// so that a weight meets four pixels.

// r0 patch, r1 + r2 weights, r8 to r11 sums.
#define ELEMENT            \
    "ldm r0!, {r4-r7}\n"   \
    "ldrsb r3, [r1, r2]\n" \
    "adds r2, #1\n"        \
    "muls r4, r3, r4\n"    \
    "add r8, r4\n"         \
    "muls r5, r3, r5\n"    \
    "add r9, r5\n"         \
    "muls r6, r3, r6\n"    \
    "add r10, r6\n"        \
    "muls r7, r3, r7\n"    \
    "add r11, r7\n"

// r1: where a filter's piece ends; r2 counts from minus its length up to 0, lr where the last whole block ends, r12 sums. The
// stack: the patch, minus the length, from a filter's end to the next one's, the end of the sums.
__attribute__((naked, noipa)) static void add_products(nn_products *p) {
    (void)p;
    __asm volatile(
        ".syntax unified\n"
        "push {r4-r7, lr}\n"
        "mov r4, r8\n"
        "mov r5, r9\n"
        "mov r6, r10\n"
        "mov r7, r11\n"
        "push {r4-r7}\n"
        "ldr r1, [r0, #60]\n"
        "mov r12, r1\n"
        "ldr r1, [r0, #48]\n"
        "ldr r2, [r0, #72]\n"
        "adds r1, r1, r2\n"
        "ldr r4, [r0, #36]\n"
        "negs r5, r2\n"
        "ldr r6, [r0, #52]\n"
        "adds r6, r6, r2\n"
        "ldr r7, [r0, #68]\n"
        "push {r4-r7}\n"
        "movs r4, #7\n"
        "ands r4, r2\n"
        "negs r4, r4\n"
        "mov lr, r4\n"
        "1:\n"
        "mov r4, r12\n"
        "ldm r4, {r4-r7}\n"
        "mov r8, r4\n"
        "mov r9, r5\n"
        "mov r10, r6\n"
        "mov r11, r7\n"
        "ldr r0, [sp, #0]\n"
        "ldr r2, [sp, #4]\n"
        "cmp r2, lr\n"
        "beq 3f\n"
        "2:\n" ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT
        "cmp r2, lr\n"
        "bne 2b\n"
        "3:\n"
        "cmp r2, #0\n"
        "beq 5f\n"
        "4:\n" ELEMENT
        "cmp r2, #0\n"
        "bne 4b\n"
        "5:\n"
        "mov r3, r12\n"
        "mov r4, r8\n"
        "mov r5, r9\n"
        "mov r6, r10\n"
        "mov r7, r11\n"
        "stm r3!, {r4-r7}\n"
        "mov r12, r3\n"
        "ldr r4, [sp, #8]\n"
        "adds r1, r1, r4\n"
        "ldr r4, [sp, #12]\n"
        "cmp r3, r4\n"
        "beq 6f\n"
        "b 1b\n"
        "6:\n"
        "add sp, #16\n"
        "pop {r4-r7}\n"
        "mov r8, r4\n"
        "mov r9, r5\n"
        "mov r10, r6\n"
        "mov r11, r7\n"
        "pop {r4-r7, pc}\n");
}

// r0 sums, r7 channel, r8 bias, r9 and r10 the multiplier's halves, r11 offset, r12 2^14, r5 shift; the stack: where the
// pixels' results go. The product is that of nn_quick_product.
#define RESULT(at)             \
    "ldm r0!, {r1}\n"          \
    "add r1, r8\n"             \
    "sxth r2, r1\n"            \
    "subs r1, r1, r2\n"        \
    "asrs r1, r1, #16\n"       \
    "mov r3, r9\n"             \
    "muls r3, r2, r3\n"        \
    "asrs r3, r3, #16\n"       \
    "mov r4, r10\n"            \
    "muls r2, r4, r2\n"        \
    "adds r3, r3, r2\n"        \
    "muls r4, r1, r4\n"        \
    "mov r2, r9\n"             \
    "muls r1, r2, r1\n"        \
    "adds r3, r3, r1\n"        \
    "add r3, r12\n"            \
    "asrs r3, r3, #15\n"       \
    "lsls r4, r4, #1\n"        \
    "adds r3, r3, r4\n"        \
    "add r3, r11\n"            \
    "asrs r3, r3, r5\n"        \
    "sxtb r2, r3\n"            \
    "cmp r2, r3\n"             \
    "beq 2f\n"                 \
    "asrs r2, r3, #31\n"       \
    "movs r4, #127\n"          \
    "eors r2, r4\n"            \
    "2:\n"                     \
    "ldr r6, [sp, " at "]\n"   \
    "strb r2, [r6, r7]\n"

// Of the sums that are there.
__attribute__((naked, noipa)) static void write_sums(nn_products *p) {
    (void)p;
    __asm volatile(
        ".syntax unified\n"
        "push {r4-r7, lr}\n"
        "mov r4, r8\n"
        "mov r5, r9\n"
        "mov r6, r10\n"
        "mov r7, r11\n"
        "push {r4-r7}\n"
        "mov lr, r0\n"
        "ldr r5, [r0, #16]\n"
        "ldr r1, [r0, #0]\n"
        "ldr r2, [r0, #4]\n"
        "ldr r3, [r0, #8]\n"
        "ldr r4, [r0, #12]\n"
        "subs r5, r5, r1\n" // channels
        "push {r1-r5}\n"
        "ldr r0, [r0, #60]\n"
        "movs r1, #1\n"
        "lsls r1, r1, #14\n"
        "mov r12, r1\n"
        "movs r7, #0\n"
        "1:\n"
        "mov r6, lr\n"
        "lsls r5, r7, #2\n"
        "ldr r1, [r6, #20]\n"
        "ldr r1, [r1, r5]\n"
        "mov r8, r1\n"
        "ldr r1, [r6, #24]\n"
        "ldr r1, [r1, r5]\n"
        "uxth r2, r1\n"
        "mov r9, r2\n"
        "asrs r1, r1, #16\n"
        "mov r10, r1\n"
        "ldr r1, [r6, #28]\n"
        "ldr r1, [r1, r5]\n"
        "mvns r1, r1\n"
        "ldr r2, [r6, #32]\n"
        "lsls r2, r1\n"
        "mov r11, r2\n"
        "adds r5, r1, #1\n" RESULT("#0") RESULT("#4") RESULT("#8") RESULT("#12")
        "adds r7, #1\n"
        "ldr r1, [sp, #16]\n"
        "cmp r7, r1\n"
        "beq 3f\n"
        "b 1b\n"
        "3:\n"
        "add sp, #20\n"
        "pop {r4-r7}\n"
        "mov r8, r4\n"
        "mov r9, r5\n"
        "mov r10, r6\n"
        "mov r11, r7\n"
        "pop {r4-r7, pc}\n");
}

static void write_results(nn_products *p) {
    add_products(p);
    write_sums(p);
}
