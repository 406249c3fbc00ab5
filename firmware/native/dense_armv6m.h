// Fully connected layers on Armv6-M (Cortex-M0+): 13 instructions for 4 products, and 28 for a result.

// Every fourth element of x comes first, so that r0 is the weights' index, too: r0 x, r1 to r4 + r0 weights, r8 to r11 sums.
#define OUTPUT(w, sum)        \
    "ldrsb r7, [" w ", r0]\n" \
    "muls r7, r6, r7\n"       \
    "add " sum ", r7\n"
#define ELEMENT "ldm r0!, {r6}\n" OUTPUT("r1", "r8") OUTPUT("r2", "r9") OUTPUT("r3", "r10") OUTPUT("r4", "r11")
#define EIGHT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT ELEMENT

// For `d` in r7, whose weights become those of the next outputs. r5: 1 less the bytes of a quarter of x, r12 where it ends
// but for one byte, lr the end of x; the stack: how much of the code the first round of a quarter leaves out.
__attribute__((naked, noipa, used)) static void add_products(void) {
    __asm volatile(
        ".syntax unified\n"
        "ldr r6, [r7, #32]\n"
        "push {r6, lr}\n"
        "ldm r7!, {r0-r3}\n"
        "mov lr, r3\n"
        "subs r3, r3, r0\n"
        "lsrs r3, r3, #2\n"
        "movs r5, #1\n"
        "subs r5, r5, r3\n"
        "lsls r4, r2, #2\n"
        "adds r4, r4, r1\n"
        "subs r7, #12\n"
        "str r4, [r7]\n"
        "subs r1, r1, r0\n"
        "subs r1, #4\n" // r0 is one further on when a weight is loaded
        "mov r6, r2\n"
        "adds r2, r1, r6\n"
        "adds r3, r2, r6\n"
        "adds r4, r3, r6\n"
        "1:\n"
        "subs r6, r0, r5\n"
        "mov r12, r6\n"
        "ldr r6, [sp]\n"
        "add pc, r6\n"
        "nop\n"
        "2:\n" EIGHT EIGHT
        "cmp r0, r12\n"
        "bhs 3f\n"
        "b 2b\n"
        "3:\n"
        "adds r1, r1, r5\n"
        "adds r2, r2, r5\n"
        "adds r3, r3, r5\n"
        "adds r4, r4, r5\n"
        "cmp r0, lr\n"
        "bhs 4f\n"
        "b 1b\n"
        "4:\n"
        "pop {r6, pc}\n");
}

// The registers that a function has to leave as they are; on top of them `d`.
#define BEGIN             \
    ".syntax unified\n"   \
    "push {r4-r7, lr}\n"  \
    "mov r4, r8\n"        \
    "mov r5, r9\n"        \
    "mov r6, r10\n"       \
    "mov r7, r11\n"       \
    "push {r0, r4-r7}\n"
#define END               \
    "pop {r0, r4-r7}\n"   \
    "mov r8, r4\n"        \
    "mov r9, r5\n"        \
    "mov r10, r6\n"       \
    "mov r11, r7\n"       \
    "pop {r4-r7, pc}\n"

// Four sums from where r6 points.
#define LOAD_SUMS         \
    "ldm r6!, {r0-r3}\n"  \
    "mov r8, r0\n"        \
    "mov r9, r1\n"        \
    "mov r10, r2\n"       \
    "mov r11, r3\n"

__attribute__((naked, noipa)) void nn_dense_add(nn_dense *d) {
    (void)d;
    __asm volatile(BEGIN
        "mov r7, r0\n"
        "movs r6, #16\n"
        "adds r6, r6, r0\n" LOAD_SUMS
        "bl add_products\n"
        "ldr r0, [sp]\n"
        "adds r0, #16\n"
        "mov r1, r8\n"
        "mov r2, r9\n"
        "mov r3, r10\n"
        "mov r4, r11\n"
        "stm r0!, {r1-r4}\n" END);
}

// r0 y, r6 multipliers, r7 shifts, r12 2^14, lr the odd number; the product is that of nn_quick_product.
#define RESULT(sum, at)       \
    "mov r1, " sum "\n"       \
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
    "add r5, r12\n"           \
    "asrs r5, r5, #15\n"      \
    "lsls r4, r4, #1\n"       \
    "adds r5, r5, r4\n"       \
    "ldm r7!, {r1}\n"         \
    "mvns r1, r1\n"           \
    "asrs r5, r1\n"           \
    "add r5, lr\n"            \
    "asrs r5, r5, #1\n"       \
    "sxtb r1, r5\n"           \
    "cmp r1, r5\n"            \
    "beq 2f\n"                \
    "asrs r1, r5, #31\n"      \
    "movs r2, #127\n"         \
    "eors r1, r2\n"           \
    "2:\n"                    \
    "strb r1, [r0, " at "]\n"

__attribute__((naked, noipa)) void nn_dense_results(nn_dense *d) {
    (void)d;
    __asm volatile(BEGIN
        "1:\n"
        "ldr r7, [sp]\n"
        "ldr r6, [r7, #36]\n" LOAD_SUMS
        "str r6, [r7, #36]\n"
        "bl add_products\n"
        "ldr r5, [sp]\n"
        "adds r5, #40\n"
        "ldm r5!, {r6, r7}\n"
        "ldm r5!, {r0, r1}\n"
        "mov lr, r0\n"
        "mov r0, r1\n"
        "movs r1, #1\n"
        "lsls r1, r1, #14\n"
        "mov r12, r1\n" RESULT("r8", "#0") RESULT("r9", "#1") RESULT("r10", "#2") RESULT("r11", "#3")
        "adds r0, #4\n"
        "ldr r5, [sp]\n"
        "str r6, [r5, #40]\n"
        "str r7, [r5, #44]\n"
        "str r0, [r5, #52]\n"
        "ldr r1, [r5, #56]\n"
        "cmp r0, r1\n"
        "beq 3f\n"
        "b 1b\n"
        "3:\n" END);
}
