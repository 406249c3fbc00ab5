// Products of a patch with filters on cores with the DSP extension (Cortex-M4, M7, M33): 15 instructions for 16.

// r0 patch, r1 and r12 weights of the two filters, r8 to r11 sums, lr the patch's end.
#define GROUP                       \
    "ldm r0!, {r2-r5}\n"            \
    "ldr r6, [r1], #4\n"            \
    "sxtb16 r7, r6\n"               \
    "sxtb16 r6, r6, ror #8\n"       \
    "smlad r8, r2, r7, r8\n"        \
    "smlad r9, r4, r7, r9\n"        \
    "smlad r8, r3, r6, r8\n"        \
    "smlad r9, r5, r6, r9\n"        \
    "ldr r6, [r12], #4\n"           \
    "sxtb16 r7, r6\n"               \
    "sxtb16 r6, r6, ror #8\n"       \
    "smlad r10, r2, r7, r10\n"      \
    "smlad r11, r4, r7, r11\n"      \
    "smlad r10, r3, r6, r10\n"      \
    "smlad r11, r5, r6, r11\n"

__attribute__((naked, noipa)) static void add_products(products *p) {
    (void)p;
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "1:\n"
        "ldr r2, [sp]\n"
        "ldm r2, {r0, r1, r7, r12, lr}\n"
        "add r12, r1\n"
        "ldm r7, {r8-r11}\n"
        "cmp r0, lr\n"
        "beq 3f\n"
        "2:\n" GROUP GROUP GROUP GROUP
        "cmp r0, lr\n"
        "bne 2b\n"
        "3:\n"
        "ldr r2, [sp]\n"
        "ldr lr, [r2, #20]\n"
        "cmp r0, lr\n"
        "beq 5f\n"
        "4:\n" GROUP
        "cmp r0, lr\n"
        "bne 4b\n"
        "ldr r2, [sp]\n"
        "5:\n"
        "ldr r3, [r2, #36]\n"
        "cbz r3, 6f\n"
        "sub r1, r3\n"
        "sub r12, r3\n" GROUP
        "ldr r2, [sp]\n"
        "6:\n"
        "ldr r1, [r2, #4]\n"
        "ldrd r7, r3, [r2, #8]\n"
        "ldr r4, [r2, #24]\n"
        "stm r7!, {r8-r11}\n"
        "add r1, r1, r3, lsl #1\n"
        "strd r1, r7, [r2, #4]\n"
        "cmp r7, r4\n"
        "bne 1b\n"
        "pop {r0, r4-r11, pc}\n");
}
