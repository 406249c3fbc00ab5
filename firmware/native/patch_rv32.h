// Products of a patch with two filters on RISC-V: 22 instructions for 8; and with four. In C the compiler loads too far
// ahead, and spills.

#define TIMES(weight, a, b, c, d)   \
    "mul t6, t0, " weight "\n"      \
    "add " a ", " a ", t6\n"        \
    "mul t6, t1, " weight "\n"      \
    "add " b ", " b ", t6\n"        \
    "mul t6, t2, " weight "\n"      \
    "add " c ", " c ", t6\n"        \
    "mul t6, t3, " weight "\n"      \
    "add " d ", " d ", t6\n"

#define ELEMENT(i)                    \
    "lw t0, 16*" #i "(%[x])\n"       \
    "lw t1, 16*" #i "+4(%[x])\n"     \
    "lw t2, 16*" #i "+8(%[x])\n"     \
    "lw t3, 16*" #i "+12(%[x])\n"    \
    "lb t4, " #i "(%[v])\n"          \
    "lb t5, " #i "(%[w])\n"          \
    TIMES("t4", "%[a]", "%[b]", "%[c]", "%[d]") TIMES("t5", "%[e]", "%[f]", "%[g]", "%[h]")

#define LOOP(elements, count, bytes)           \
    "1:\n" elements                            \
    "addi %[x], %[x], " bytes "\n"             \
    "addi %[v], %[v], " count "\n"             \
    "addi %[w], %[w], " count "\n"             \
    "bne %[x], %[end], 1b\n"

#define ADD(elements, count, bytes, to)                                                                        \
    __asm volatile(LOOP(elements, count, bytes)                                                                \
        : [x] "+r"(x), [v] "+r"(v), [w] "+r"(w), [a] "+r"(s[0]), [b] "+r"(s[1]), [c] "+r"(s[2]), [d] "+r"(s[3]), \
        [e] "+r"(s[4]), [f] "+r"(s[5]), [g] "+r"(s[6]), [h] "+r"(s[7])                                         \
        : [end] "r"(to)                                                                                        \
        : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory")

NN_INLINE void add_filters(const nn_products *p, const int8_t *v, const int8_t *w, uint32_t *s) {
    const uint32_t *x = p->x;
    if (x != p->x_blocks) {
        ADD(ELEMENT(0) ELEMENT(1) ELEMENT(2) ELEMENT(3) ELEMENT(4) ELEMENT(5) ELEMENT(6) ELEMENT(7), "8", "128", p->x_blocks);
    }
    if (x != p->x_end) {
        ADD(ELEMENT(0), "1", "16", p->x_end);
    }
}

// Four filters, 40 instructions for 16: a0 patch, a1 its end, t4, t5, t6 and ra weights, s0 to s11, a6, a7, t0 and t1 sums,
// which lie at 0(sp) where they come from.
#define FOUR_TIMES(a, b, c, d) \
    "mul t3, a2, t2\n"         \
    "add " a ", " a ", t3\n"   \
    "mul t3, a3, t2\n"         \
    "add " b ", " b ", t3\n"   \
    "mul t3, a4, t2\n"         \
    "add " c ", " c ", t3\n"   \
    "mul t3, a5, t2\n"         \
    "add " d ", " d ", t3\n"

#define FOUR(i)                                                   \
    "lw a2, 16*" #i "(a0)\n"                                      \
    "lw a3, 16*" #i "+4(a0)\n"                                    \
    "lw a4, 16*" #i "+8(a0)\n"                                    \
    "lw a5, 16*" #i "+12(a0)\n"                                   \
    "lb t2, " #i "(t4)\n" FOUR_TIMES("s0", "s1", "s2", "s3")      \
    "lb t2, " #i "(t5)\n" FOUR_TIMES("s4", "s5", "s6", "s7")      \
    "lb t2, " #i "(t6)\n" FOUR_TIMES("s8", "s9", "s10", "s11")    \
    "lb t2, " #i "(ra)\n" FOUR_TIMES("a6", "a7", "t0", "t1")

#define FOUR_LOOP(elements, count, bytes) \
    "1:\n" elements                       \
    "addi a0, a0, " bytes "\n"            \
    "addi t4, t4, " count "\n"            \
    "addi t5, t5, " count "\n"            \
    "addi t6, t6, " count "\n"            \
    "addi ra, ra, " count "\n"            \
    "bne a0, a1, 1b\n"

#define SAVED(DO)                                                                                                         \
    DO(s0, 4) DO(s1, 8) DO(s2, 12) DO(s3, 16) DO(s4, 20) DO(s5, 24) DO(s6, 28) DO(s7, 32) DO(s8, 36) DO(s9, 40) DO(s10, 44) \
        DO(s11, 48) DO(ra, 52)
#define SUMS(DO)                                                                                                          \
    DO(s0, 0) DO(s1, 4) DO(s2, 8) DO(s3, 12) DO(s4, 16) DO(s5, 20) DO(s6, 24) DO(s7, 28) DO(s8, 32) DO(s9, 36) DO(s10, 40) \
        DO(s11, 44) DO(a6, 48) DO(a7, 52) DO(t0, 56) DO(t1, 60)
#define SAVE(name, at) "sw " #name ", " #at "(sp)\n"
#define RESTORE(name, at) "lw " #name ", " #at "(sp)\n"
#define TAKE(name, at) "lw " #name ", " #at "(a5)\n"
#define GIVE(name, at) "sw " #name ", " #at "(a5)\n"

// Elements from x to blocks, eight at a time, and from there to end, one by one; `filter` is from one's weights to the next one's.
__attribute__((naked, noipa)) static void add_four(const uint32_t *x, const uint32_t *blocks, const uint32_t *end,
    const int8_t *w, ptrdiff_t filter, uint32_t *sums) {
    (void)x;
    (void)blocks;
    (void)end;
    (void)w;
    (void)filter;
    (void)sums;
    __asm volatile("addi sp, sp, -64\n" SAVED(SAVE)
        "sw a5, 0(sp)\n"
        "sw a2, 56(sp)\n"
        "mv t4, a3\n"
        "add t5, t4, a4\n"
        "add t6, t5, a4\n"
        "add ra, t6, a4\n" SUMS(TAKE)
        "beq a0, a1, 2f\n" FOUR_LOOP(FOUR(0) FOUR(1) FOUR(2) FOUR(3) FOUR(4) FOUR(5) FOUR(6) FOUR(7), "8", "128")
        "2:\n"
        "lw a1, 56(sp)\n"
        "beq a0, a1, 3f\n" FOUR_LOOP(FOUR(0), "1", "16")
        "3:\n"
        "lw a5, 0(sp)\n" SUMS(GIVE) SAVED(RESTORE)
        "addi sp, sp, 64\n"
        "ret\n");
}
