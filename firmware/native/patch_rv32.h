// Products of a patch of lanes with pairs of filters on RISC-V: 36 instructions for 16 products. In C the compiler spills.
//
// a0 patch, a1 its end, t4 and t5 weights, s8 what is added before a shift; for each filter and pair of pixels the sum of
// all and that of the upper lanes in s2 to s7, t2 and t3; t6, s9 to s11 results, a6 bias, a7 multipliers, ra shifts. The
// stack's top: p, pairs that are left, their sums.

#define DOT(first, second, all, upper) \
    "mul s0, " first ", t0\n"          \
    "mul s1, " second ", t1\n"         \
    "add s0, s0, s1\n"                 \
    "add " all ", " all ", s0\n"       \
    "add s0, s0, s8\n"                 \
    "srai s0, s0, 16\n"                \
    "add " upper ", " upper ", s0\n"

#define WEIGHTS(from, i) "lb t0, 2*" #i "(" from ")\nlb t1, 2*" #i "+1(" from ")\n"

#define GROUP(i)                                                       \
    "lw a2, 16*" #i "(a0)\n"                                           \
    "lw a3, 16*" #i "+4(a0)\n"                                         \
    "lw a4, 16*" #i "+8(a0)\n"                                         \
    "lw a5, 16*" #i "+12(a0)\n"                                        \
    WEIGHTS("t4", i) DOT("a2", "a4", "s2", "s3") DOT("a3", "a5", "s4", "s5") \
    WEIGHTS("t5", i) DOT("a2", "a4", "s6", "s7") DOT("a3", "a5", "t2", "t3")

#define LOOP(groups, bytes, elements)         \
    "1:\n" groups                             \
    "addi a0, a0, " bytes "\n"                \
    "addi t4, t4, " elements "\n"             \
    "addi t5, t5, " elements "\n"             \
    "bne a0, a1, 1b\n"

#define SAVED(DO)                                                                                                          \
    DO(s0, 12) DO(s1, 16) DO(s2, 20) DO(s3, 24) DO(s4, 28) DO(s5, 32) DO(s6, 36) DO(s7, 40) DO(s8, 44) DO(s9, 48) DO(s10, 52) \
        DO(s11, 56) DO(ra, 60)
#define SUMS(DO) DO(s2, 0) DO(s3, 4) DO(s4, 8) DO(s5, 12) DO(s6, 16) DO(s7, 20) DO(t2, 24) DO(t3, 28)
#define SAVE(name, at) "sw " #name ", " #at "(sp)\n"
#define RESTORE(name, at) "lw " #name ", " #at "(sp)\n"
#define TAKE(name, at) "lw " #name ", " #at "(t1)\n"
#define GIVE(name, at) "sw " #name ", " #at "(t1)\n"

// Sums of two pixels, with a bias, as the loop counts them, and back.
#define TO_LANES(all, upper, bias)          \
    "add " all ", " all ", " bias "\n"      \
    "add " upper ", " upper ", " bias "\n"  \
    "slli t0, " upper ", 16\n"              \
    "add " all ", " all ", t0\n"            \
    "add " upper ", " upper ", a2\n"
#define FROM_LANES(all, upper)     \
    "slli a2, " upper ", 16\n"     \
    "sub " all ", " all ", a2\n"
// The same of sums that are nothing but a bias, for two pairs of pixels.
#define BIAS(at, all, upper, more, more_upper) \
    "lw " upper ", " at "(a6)\n"           \
    "slli " all ", " upper ", 16\n"        \
    "add " all ", " all ", " upper "\n"    \
    "add " upper ", " upper ", a2\n"       \
    "mv " more ", " all "\n"               \
    "mv " more_upper ", " upper "\n"

// a4 multiplier, a0 shift, a1 what is added, a2 256; as nn_quick_scaled and nn_to_int8 do it.
#define SCALE(at)             \
    "lw a4, " at "(a7)\n"     \
    "lw a0, " at "(ra)\n"     \
    "neg a0, a0\n"            \
    "sll a1, a3, a0\n"        \
    "addi a1, a1, 1\n"        \
    "addi a0, a0, 1\n"
#define RESULT(sum, to)                    \
    "slli " sum ", " sum ", 2\n"           \
    "mulh " sum ", " sum ", a4\n"          \
    "add " sum ", " sum ", a1\n"           \
    "sra " sum ", " sum ", a0\n"           \
    "addi a5, " sum ", 128\n"              \
    "bltu a5, a2, 1f\n"                    \
    "srai " sum ", " sum ", 31\n"          \
    "xori " sum ", " sum ", 127\n"         \
    "1:\n"                                 \
    "sb " sum ", " to "\n"

__attribute__((naked, noipa)) static void add_pairs(const nn_products *p, int32_t pairs) {
    (void)p;
    (void)pairs;
    __asm volatile("addi sp, sp, -64\n" SAVED(SAVE)
        "sw a0, 0(sp)\n"
        "sw a1, 4(sp)\n"
        "lw t1, 64(a0)\n"
        "sw t1, 8(sp)\n"
        "lw t6, 0(a0)\n"
        "lw s9, 4(a0)\n"
        "lw s10, 8(a0)\n"
        "lw s11, 12(a0)\n"
        "lw a6, 20(a0)\n"
        "lw a7, 24(a0)\n"
        "lw ra, 28(a0)\n"
        "lw t4, 48(a0)\n"
        "li s8, -8355968\n" // LANES_ADDED
        "2:\n"
        "lw a4, 56(a0)\n"
        "add t5, t4, a4\n"
        "lw a2, 60(a0)\n"
        "lw a3, 68(a0)\n"
        "bnez a3, 3f\n" BIAS("0", "s2", "s3", "s4", "s5") BIAS("4", "s6", "s7", "t2", "t3")
        "j 4f\n"
        "3:\n"
        "lw t1, 8(sp)\n" SUMS(TAKE)
        "lw a5, 16(a0)\n"
        "li a3, 0\n"
        "li a4, 0\n"
        "beqz a5, 1f\n"
        "lw a3, 0(a6)\n"
        "lw a4, 4(a6)\n"
        "1:\n" TO_LANES("s2", "s3", "a3") TO_LANES("s4", "s5", "a3") TO_LANES("s6", "s7", "a4") TO_LANES("t2", "t3", "a4")
        "4:\n"
        "lw a1, 44(a0)\n"
        "lw a0, 36(a0)\n"
        "beq a0, a1, 5f\n" LOOP(GROUP(0) GROUP(1) GROUP(2) GROUP(3), "64", "8")
        "5:\n"
        "lw t0, 0(sp)\n"
        "lw a1, 40(t0)\n"
        "beq a0, a1, 7f\n"
        "6:\n" LOOP(GROUP(0), "16", "2")
        "7:\n"
        "lw a0, 0(sp)\n"
        "lw a2, 40(a0)\n"
        "lw a3, 76(a0)\n"
        "andi a3, a3, 1\n"
        "beqz a3, 8f\n"
        "bne a1, a2, 8f\n" // the last element has been there
        "mv a0, a1\n"
        "addi a1, a1, 16\n"
        "addi t4, t4, -1\n"
        "addi t5, t5, -1\n"
        "j 6b\n"
        "8:\n"
        "lw a2, 52(a0)\n"
        "add t4, t5, a2\n" FROM_LANES("s2", "s3") FROM_LANES("s4", "s5") FROM_LANES("s6", "s7") FROM_LANES("t2", "t3")
        "lw a2, 16(a0)\n"
        "lw t1, 8(sp)\n"
        "bnez a2, 9f\n" SUMS(GIVE)
        "addi t1, t1, 32\n"
        "sw t1, 8(sp)\n"
        "j 10f\n"
        "9:\n"
        "lw a2, 68(a0)\n"
        "add t1, t1, a2\n"
        "add t1, t1, a2\n"
        "sw t1, 8(sp)\n"
        "lw a3, 32(a0)\n"
        "li a2, 256\n" SCALE("0") RESULT("s2", "0(t6)") RESULT("s3", "0(s9)") RESULT("s4", "0(s10)") RESULT("s5", "0(s11)")
        SCALE("4") RESULT("s6", "1(t6)") RESULT("s7", "1(s9)") RESULT("t2", "1(s10)") RESULT("t3", "1(s11)")
        "addi t6, t6, 2\n"
        "addi s9, s9, 2\n"
        "addi s10, s10, 2\n"
        "addi s11, s11, 2\n"
        "addi a6, a6, 8\n"
        "addi a7, a7, 8\n"
        "addi ra, ra, 8\n"
        "lw a0, 0(sp)\n"
        "10:\n"
        "lw a1, 4(sp)\n"
        "addi a1, a1, -1\n"
        "sw a1, 4(sp)\n"
        "bnez a1, 2b\n" SAVED(RESTORE)
        "addi sp, sp, 64\n"
        "ret\n");
}
