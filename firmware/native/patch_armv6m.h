// Products of a patch with filters on Armv6-M (Cortex-M0+): 13 instructions for 4. MULS writes over a factor, so one filter
// at a time: then the factor is one that is read again anyway.

// r0 patch, r1 + r2 weights, r8 and r9 sums.
#define TWO_ELEMENTS           \
    "ldm r0!, {r4-r7}\n"       \
    "ldrsb r3, [r1, r2]\n"     \
    "adds r2, #1\n"            \
    "muls r4, r3, r4\n"        \
    "add r8, r4\n"             \
    "muls r5, r3, r5\n"        \
    "add r9, r5\n"             \
    "ldrsb r3, [r1, r2]\n"     \
    "adds r2, #1\n"            \
    "muls r6, r3, r6\n"        \
    "add r8, r6\n"             \
    "muls r7, r3, r7\n"        \
    "add r9, r7\n"

__attribute__((naked, noipa)) static void add_products(products *p) {
    (void)p;
    __asm volatile(
        ".syntax unified\n"
        "push {r4-r7, lr}\n"
        "mov r4, r8\n"
        "mov r5, r9\n"
        "mov r6, r10\n"
        "push {r4-r6}\n"
        "mov r12, r0\n"
        "1:\n"
        "mov r3, r12\n"
        "ldr r0, [r3]\n"
        "ldr r1, [r3, #4]\n"
        "ldr r4, [r3, #8]\n"
        "ldm r4!, {r5, r6}\n"
        "mov r8, r5\n"
        "mov r9, r6\n"
        "ldr r2, [r3, #28]\n"
        "ldr r4, [r3, #32]\n"
        "mov r10, r4\n"
        "adds r1, r1, r2\n"
        "negs r2, r2\n"
        "beq 3f\n"
        "2:\n" TWO_ELEMENTS TWO_ELEMENTS
        "cmp r2, #0\n"
        "bne 2b\n"
        "3:\n"
        "cmp r2, r10\n"
        "beq 5f\n"
        "4:\n"
        "ldm r0!, {r4, r5}\n"
        "ldrsb r3, [r1, r2]\n"
        "muls r4, r3, r4\n"
        "add r8, r4\n"
        "muls r5, r3, r5\n"
        "add r9, r5\n"
        "adds r2, #1\n"
        "cmp r2, r10\n"
        "bne 4b\n"
        "5:\n"
        "mov r3, r12\n"
        "ldr r4, [r3, #8]\n"
        "mov r5, r8\n"
        "mov r6, r9\n"
        "stm r4!, {r5, r6}\n"
        "str r4, [r3, #8]\n"
        "ldr r5, [r3, #4]\n"
        "ldr r6, [r3, #12]\n"
        "adds r5, r5, r6\n"
        "str r5, [r3, #4]\n"
        "ldr r5, [r3, #24]\n"
        "cmp r4, r5\n"
        "bne 1b\n"
        "pop {r4-r6}\n"
        "mov r8, r4\n"
        "mov r9, r5\n"
        "mov r10, r6\n"
        "pop {r4-r7, pc}\n");
}
