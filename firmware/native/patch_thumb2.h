// What the instruction sets of Cortex-M3, M4 and above have in common; BLOCK, LEFT_OUT, END and RESULT are each one's own.

// r1: weights; lr: what is left to do, from `bias` on; on the stack: where the first round begins.
#define BEGIN                 \
    "push {r4-r11, lr}\n"     \
    "add lr, r0, #20\n"       \
    "ldr r1, [lr, #28]\n"     \
    "ldrd r2, r3, [lr, #16]\n" \
    "sub r2, r3\n" LEFT_OUT   \
    "adr r3, 2f\n"            \
    "add r2, r3\n"            \
    "add r2, #1\n"            \
    "push {r2}\n"             \
    "1:\n"

// The sums of one filter, which r2 points to.
#define FILTER                \
    "ldrd r0, r12, [lr, #16]\n" \
    "ldm r2, {r8-r11}\n"      \
    "ldr pc, [sp]\n"          \
    "2:\n" BLOCK             \
    "cmp r0, r12\n"           \
    "bne 2b\n" END

#define RETURN                \
    "bne 1b\n"                \
    "add sp, #4\n"            \
    "pop {r4-r11, pc}\n"

__attribute__((naked, noipa)) static void add_products(nn_products *p) {
    (void)p;
    __asm volatile(BEGIN
        "ldr r2, [lr, #40]\n" FILTER
        "ldr r2, [lr, #40]\n"
        "ldr r3, [lr, #48]\n"
        "stm r2!, {r8-r11}\n"
        "str r2, [lr, #40]\n"
        "cmp r2, r3\n" RETURN);
}

__attribute__((naked, noipa)) static void write_results(nn_products *p) {
    (void)p;
    __asm volatile(BEGIN
        "ldrd r2, r3, [lr, #40]\n"
        "add r3, r2\n"
        "str r3, [lr, #40]\n" FILTER
        "ldm lr, {r2-r5}\n"
        "ldr r6, [r2], #4\n"
        "ldr r0, [r3], #4\n"
        "ldr r12, [r4], #4\n"
        "stm lr, {r2-r4}\n"
        "lsl r6, #1\n"
        "mvn r12, r12\n"
        "lsl r5, r12\n"
        "add r12, #1\n" RESULT("r8") RESULT("r9") RESULT("r10") RESULT("r11")
        "ldmdb lr, {r2-r6}\n"
        "strb r8, [r2], #1\n"
        "strb r9, [r3], #1\n"
        "strb r10, [r4], #1\n"
        "strb r11, [r5], #1\n"
        "stmdb lr, {r2-r6}\n"
        "cmp r2, r6\n" RETURN);
}
