// What the instruction sets of Cortex-M3, M4 and above have in common: FILTER and RESULT are each one's own.

__attribute__((naked, noipa)) static void add_products(nn_products *p) {
    (void)p;
    __asm volatile(
        "push {r4-r11, lr}\n"
        "mov lr, r0\n"
        "ldr r1, [lr, #48]\n"
        "1:\n"
        "ldr r2, [lr, #60]\n" FILTER
        "ldr r2, [lr, #60]\n"
        "ldr r3, [lr, #68]\n"
        "stm r2!, {r8-r11}\n"
        "str r2, [lr, #60]\n"
        "cmp r2, r3\n"
        "bne 1b\n"
        "pop {r4-r11, pc}\n");
}

__attribute__((naked, noipa)) static void write_results(nn_products *p) {
    (void)p;
    __asm volatile(
        "push {r4-r11, lr}\n"
        "mov lr, r0\n"
        "ldr r1, [lr, #48]\n"
        "1:\n"
        "ldrd r2, r3, [lr, #60]\n"
        "add r3, r2\n"
        "str r3, [lr, #60]\n" FILTER
        "add r7, lr, #12\n"
        "ldm r7, {r2-r5}\n"
        "ldr r6, [r2], #4\n"
        "ldr r0, [r3], #4\n"
        "ldr r12, [r4], #4\n"
        "stm r7, {r2-r4}\n"
        "lsl r6, #1\n"
        "mvn r12, r12\n"
        "lsl r5, r12\n"
        "add r12, #1\n" RESULT("r8") RESULT("r9") RESULT("r10") RESULT("r11")
        "add r7, lr, #28\n"
        "ldm r7, {r2-r6}\n"
        "strb r8, [r2], #1\n"
        "strb r9, [r3], #1\n"
        "strb r10, [r4], #1\n"
        "strb r11, [r5], #1\n"
        "stm r7, {r2-r5}\n"
        "cmp r2, r6\n"
        "bne 1b\n"
        "pop {r4-r11, pc}\n");
}
