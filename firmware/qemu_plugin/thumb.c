// Thumb as of ARMv6-M and ARMv7E-M with floats (Arm's ARMv7-M Architecture Reference Manual, chapter A5).

#include "classes.h"

static classified of(int class) {
    return (classified){class, 0, -1, -1, -1};
}

static classified several(int class, int words) {
    return (classified){class, words, -1, -1, -1};
}

static classified load(int to, int base, int index) {
    return (classified){CLASS_load, 0, to, base, index};
}

static classified narrow(unsigned op) {
    const int low = op & 7, next = op >> 3 & 7, third = op >> 6 & 7, high = op >> 8 & 7;
    if (op >> 11 == 9) { // relative to the program counter
        return load(high, 15, -1);
    }
    if (op >> 12 == 5) { // base and index: the three stores come first
        return (op >> 9 & 7) < 3 ? of(CLASS_store) : load(low, next, third);
    }
    if (op >> 12 >= 6 && op >> 12 <= 8) {
        return op & 0x800 ? load(low, next, -1) : of(CLASS_store);
    }
    if (op >> 12 == 9) { // relative to the stack
        return op & 0x800 ? load(high, 13, -1) : of(CLASS_store);
    }
    if ((op & 0xf600) == 0xb400) { // PUSH, POP
        return several(op & 0x800 ? CLASS_load_many : CLASS_store_many, __builtin_popcount(op & 0x1ff));
    }
    if (op >> 12 == 12) { // STM, LDM
        return several(op & 0x800 ? CLASS_load_many : CLASS_store_many, __builtin_popcount(op & 0xff));
    }
    const bool conditional = op >> 12 == 13 && (op >> 8 & 15) < 14, compares = (op & 0xf500) == 0xb100;
    const bool by_register = (op & 0xff00) == 0x4700, into_counter = (op & 0xfd87) == 0x4487;
    if (conditional || compares || by_register || into_counter || op >> 11 == 28) {
        return of(CLASS_branch);
    }
    return of((op & 0xffc0) == 0x4340 ? CLASS_multiply : CLASS_plain);
}

static classified floats(unsigned first, unsigned second) {
    if ((first & 0xfe00) == 0xec00) {
        if ((first & 0xffe0) == 0xec40) { // two registers between the core and its FPU
            return of(CLASS_plain);
        }
        const bool loads = first & 0x10, one = (first & 0x120) == 0x100, wide = second & 0x100;
        if (one && !wide) {
            return of(loads ? CLASS_load : CLASS_store);
        }
        return several(loads ? CLASS_load_many : CLASS_store_many, one ? 2 : (int)(second & 0xff));
    }
    if ((first & 0xff00) != 0xee00 || second & 0x10 || (second & 0xe00) != 0xa00) {
        return of(CLASS_plain);
    }
    switch (first >> 4 & 0xb) {
    case 0: // VMLA, VMLS
    case 1: // VNMLA, VNMLS
    case 9: // VFNMA, VFNMS
    case 10: // VFMA, VFMS
        return of(CLASS_float_multiply_add);
    case 8: // VDIV
        return of(CLASS_float_divide);
    default: // VSQRT among others
        return of((first & 0xbf) == 0xb1 && (second & 0xc0) == 0xc0 ? CLASS_float_divide : CLASS_plain);
    }
}

static classified wide(unsigned first, unsigned second) {
    const bool loads = first & 0x10;
    if ((first & 0xfe40) == 0xe800) { // LDM, STM
        return several(loads ? CLASS_load_many : CLASS_store_many, __builtin_popcount(second));
    }
    if ((first & 0xfe40) == 0xe840) { // LDRD and STRD have P or W; TBB, TBH, LDREX and STREX neither
        if (first & 0x120) {
            return several(loads ? CLASS_load_many : CLASS_store_many, 2);
        }
        return of(loads ? CLASS_load : CLASS_store);
    }
    if ((first & 0xec00) == 0xec00) {
        return floats(first, second);
    }
    if (first >> 11 == 30 && second & 0x8000) { // BL, B; neither bit 14 nor 12 for a condition, which is not 14 or 15
        const bool conditional = !(second & 0x5000) && (first & 0x380) != 0x380;
        return of(conditional || second & 0x1000 ? CLASS_branch : CLASS_plain);
    }
    if ((first & 0xfe00) == 0xf800) {
        const bool has_index = !(first & 0x80) && !(second & 0xfc0) && (first & 15) != 15;
        return loads ? load(second >> 12, first & 15, has_index ? (int)(second & 15) : -1) : of(CLASS_store);
    }
    if ((first & 0xff80) == 0xfb00) {
        return of(second >> 12 == 15 ? CLASS_multiply : CLASS_multiply_add);
    }
    if ((first & 0xff80) == 0xfb80) {
        static const int kinds[] = {CLASS_multiply_long, CLASS_divide, CLASS_multiply_long, CLASS_divide,
            CLASS_multiply_long_add, CLASS_multiply_long_add, CLASS_multiply_long_add, CLASS_plain};
        return of(kinds[first >> 4 & 7]);
    }
    return of(CLASS_plain);
}

static unsigned halfword(const uint8_t *code) {
    return code[0] | (unsigned)code[1] << 8;
}

unsigned bytes_thumb(const uint8_t *code) {
    return halfword(code) >> 11 >= 29 ? 4 : 2;
}

classified classify_thumb(const uint8_t *code, unsigned bytes) {
    return bytes == 2 ? narrow(halfword(code)) : wide(halfword(code), halfword(code + 2));
}

mark mark_thumb(const uint8_t *code, unsigned bytes) {
    const unsigned op = bytes == 2 ? halfword(code) : 0;
    return op == 0x46c9 ? START_MARK : op == 0x46d2 ? STOP_MARK : NO_MARK; // mov r9, r9; mov r10, r10
}
