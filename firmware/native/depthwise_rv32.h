// Depthwise 3 x 3 on RV32IM, channel by channel: its filter stays in registers, and along a row each element is loaded once and
// meets three pixels. No more is read than the columns of taps of the pixels there are.

// Registers: a5, a6, a7 rows of taps, s0 pixel step, s2 to s10 weights, a1 start, a2 multiplier, a3 offset, a4 shift, s1 y,
// s11 its step, t6 its end, t5 256; t0 sum of this pixel, t1 of the next one. Of a column t3, ra and t2 are loaded.
#define LOAD               \
    "lb t3, 0(a5)\n"       \
    "lb ra, 0(a6)\n"       \
    "lb t2, 0(a7)\n"       \
    "add a5, a5, s0\n"     \
    "add a6, a6, s0\n"     \
    "add a7, a7, s0\n"

#define TIMES(to, from, a, b, c) \
    "mul t4, t3, " a "\n"        \
    "add " to ", " from ", t4\n" \
    "mul t4, ra, " b "\n"        \
    "add " to ", " to ", t4\n"   \
    "mul t4, t2, " c "\n"        \
    "add " to ", " to ", t4\n"
#define LEFT(to, from) TIMES(to, from, "s2", "s5", "s8")
#define MIDDLE(to, from) TIMES(to, from, "s3", "s6", "s9")
#define RIGHT(to, from) TIMES(to, from, "s4", "s7", "s10")

// The sum is that of nn_quick times four, so that the product's upper word is twice what nn_quick_product gives, less what
// that rounds: (upper + 1 + 2 * offset) >> (right + 1) is the result, for every floor of a floor is the floor of the whole.
#define RESULT             \
    "mulh t0, t0, a2\n"    \
    "add t0, t0, a3\n"     \
    "sra t0, t0, a4\n"     \
    "addi t4, t0, 128\n"   \
    "bltu t4, t5, 9f\n"    \
    "srai t0, t0, 31\n"    \
    "xori t0, t0, 127\n"   \
    "9:\n"                 \
    "sb t0, 0(s1)\n"       \
    "add s1, s1, s11\n"

#define SAVED(DO)                                                                                                       \
    DO(ra, 0) DO(s0, 4) DO(s1, 8) DO(s2, 12) DO(s3, 16) DO(s4, 20) DO(s5, 24) DO(s6, 28) DO(s7, 32) DO(s8, 36) DO(s9, 40) \
        DO(s10, 44) DO(s11, 48)
#define SAVE(name, at) "sw " #name ", " #at "(sp)\n"
#define RESTORE(name, at) "lw " #name ", " #at "(sp)\n"

// Of all rows. The stack, behind what is saved: x and y of the row, rows and channels to come, the filter.
__attribute__((naked, noipa)) static void results_up(nn_four_run *run) {
    (void)run;
    __asm volatile(
        "addi sp, sp, -80\n" SAVED(SAVE)
        "lw t0, 4(a0)\n"
        "li t1, 4\n"
        "li t5, 256\n"
        "1:\n" // a channel
        "sw t1, 64(sp)\n"
        "lw a1, 0(t0)\n"
        "lw s2, 4(t0)\n"
        "lw s3, 8(t0)\n"
        "lw s4, 12(t0)\n"
        "lw s5, 16(t0)\n"
        "lw s6, 20(t0)\n"
        "lw s7, 24(t0)\n"
        "lw s8, 28(t0)\n"
        "lw s9, 32(t0)\n"
        "lw s10, 36(t0)\n"
        "lw a2, 40(t0)\n"
        "lw a3, 44(t0)\n"
        "lw a4, 48(t0)\n"
        "addi t0, t0, 52\n"
        "sw t0, 68(sp)\n"
        "slli a3, a3, 1\n"
        "addi a3, a3, 1\n"
        "addi a4, a4, 1\n"
        "lw a5, 0(a0)\n"
        "addi t0, a5, 1\n"
        "sw t0, 0(a0)\n"
        "lw s1, 20(a0)\n"
        "addi t0, s1, 1\n"
        "sw t0, 20(a0)\n"
        "lw t3, 36(a0)\n"
        "2:\n" // a row
        "sw a5, 52(sp)\n"
        "sw s1, 56(sp)\n"
        "sw t3, 60(sp)\n"
        "lw t0, 12(a0)\n"
        "lw t1, 32(a0)\n"
        "add a6, a5, t0\n"
        "add a7, a6, t1\n"
        "lw s0, 8(a0)\n"
        "lw s11, 24(a0)\n"
        "lw t6, 28(a0)\n"
        "lw t1, 16(a0)\n"
        "mul t6, t6, s11\n"
        "add t6, t6, s1\n"
        "bne t1, s0, 4f\n" LOAD LEFT("t0", "a1") LOAD MIDDLE("t0", "t0") LEFT("t1", "a1")
        "3:\n" LOAD RIGHT("t0", "t0") RESULT MIDDLE("t0", "t1") LEFT("t1", "a1")
        "bne s1, t6, 3b\n"
        "j 5f\n"
        "4:\n" // pixels that do not follow one another
        "sub t1, t1, s0\n"
        "sub t1, t1, s0\n"
        "sub t1, t1, s0\n"
        "6:\n" LOAD LEFT("t0", "a1") LOAD MIDDLE("t0", "t0") LOAD RIGHT("t0", "t0") RESULT
        "add a5, a5, t1\n"
        "add a6, a6, t1\n"
        "add a7, a7, t1\n"
        "bne s1, t6, 6b\n"
        "5:\n"
        "lw a5, 52(sp)\n"
        "lw s1, 56(sp)\n"
        "lw t3, 60(sp)\n"
        "lw t0, 40(a0)\n"
        "lw t1, 44(a0)\n"
        "add a5, a5, t0\n"
        "add s1, s1, t1\n"
        "addi t3, t3, -1\n"
        "bnez t3, 2b\n"
        "lw t0, 68(sp)\n"
        "lw t1, 64(sp)\n"
        "addi t1, t1, -1\n"
        "bnez t1, 1b\n" SAVED(RESTORE)
        "addi sp, sp, 80\n"
        "ret\n");
}
