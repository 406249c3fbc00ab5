// Products of a patch with filters on Armv7-M without the DSP extension (Cortex-M3): 13 instructions for 8.

// r0 patch, r1 and r2 weights of the two filters, r3 to r6 sums.
#define TWO_ELEMENTS           \
    "ldm r0!, {r7-r10}\n"      \
    "ldrsb r11, [r1], #1\n"    \
    "ldrsb r12, [r2], #1\n"    \
    "mla r3, r7, r11, r3\n"    \
    "mla r4, r8, r11, r4\n"    \
    "mla r5, r7, r12, r5\n"    \
    "mla r6, r8, r12, r6\n"    \
    "ldrsb r11, [r1], #1\n"    \
    "ldrsb r12, [r2], #1\n"    \
    "mla r3, r9, r11, r3\n"    \
    "mla r4, r10, r11, r4\n"   \
    "mla r5, r9, r12, r5\n"    \
    "mla r6, r10, r12, r6\n"

__attribute__((naked, noipa)) static void add_products(products *p) {
    (void)p;
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "1:\n"
        "ldr lr, [sp]\n"
        "ldm lr, {r0, r1, r7, r8}\n"
        "ldr lr, [lr, #16]\n"
        "add r2, r1, r8\n"
        "ldm r7, {r3-r6}\n"
        "cmp r0, lr\n"
        "beq 3f\n"
        "2:\n" TWO_ELEMENTS TWO_ELEMENTS
        "cmp r0, lr\n"
        "bne 2b\n"
        "3:\n"
        "ldr lr, [sp]\n"
        "ldr lr, [lr, #20]\n"
        "cmp r0, lr\n"
        "beq 5f\n"
        "4:\n"
        "ldm r0!, {r7, r8}\n"
        "ldrsb r11, [r1], #1\n"
        "ldrsb r12, [r2], #1\n"
        "mla r3, r7, r11, r3\n"
        "mla r4, r8, r11, r4\n"
        "mla r5, r7, r12, r5\n"
        "mla r6, r8, r12, r6\n"
        "cmp r0, lr\n"
        "bne 4b\n"
        "5:\n"
        "ldr r0, [sp]\n"
        "ldr r1, [r0, #4]\n"
        "ldrd r7, r8, [r0, #8]\n"
        "ldr r9, [r0, #24]\n"
        "stm r7!, {r3-r6}\n"
        "add r1, r1, r8, lsl #1\n"
        "strd r1, r7, [r0, #4]\n"
        "cmp r7, r9\n"
        "bne 1b\n"
        "pop {r0, r4-r11, pc}\n");
}
