// RV32IMC (The RISC-V Instruction Set Manual, volume I, tables 16.4 to 16.7 and 24.1).

#include "classes.h"

static classified load(int to, int base) {
    return (classified){CLASS_load, 0, to, base, -1};
}

static int compressed(unsigned op) {
    const unsigned function = op >> 13, quadrant = op & 3;
    if (quadrant != 1) {
        // C.LW, C.SW, and relative to the stack.
        if (function == 2 || function == 3) {
            return CLASS_load;
        }
        if (function >= 6) {
            return CLASS_store;
        }
        const bool jumps = quadrant == 2 && function == 4 && !(op & 0x7c) && op & 0xf80; // C.JR, C.JALR
        return jumps ? CLASS_branch : CLASS_plain;
    }
    // C.JAL, C.J, C.BEQZ, C.BNEZ
    return function == 1 || function >= 5 ? CLASS_branch : CLASS_plain;
}

static int whole(uint32_t op) {
    switch (op & 0x7f) {
    case 0x03:
    case 0x07:
        return CLASS_load;
    case 0x23:
    case 0x27:
        return CLASS_store;
    case 0x63:
    case 0x67:
    case 0x6f:
        return CLASS_branch;
    case 0x33:
        if (op >> 25 == 1) {
            const unsigned function = op >> 12 & 7;
            return function == 0 ? CLASS_multiply : function < 4 ? CLASS_multiply_long : CLASS_divide;
        }
        return CLASS_plain;
    default:
        return CLASS_plain;
    }
}

static uint32_t word(const uint8_t *code) {
    return code[0] | (uint32_t)code[1] << 8 | (uint32_t)code[2] << 16 | (uint32_t)code[3] << 24;
}

unsigned bytes_riscv(const uint8_t *code) {
    return (code[0] & 3) == 3 ? 4 : 2;
}

classified classify_riscv(const uint8_t *code, unsigned bytes) {
    if (bytes == 4) {
        const uint32_t op = word(code);
        const int class = whole(op);
        return class == CLASS_load ? load(op >> 7 & 31, op >> 15 & 31) : (classified){class, 0, -1, -1, -1};
    }
    const unsigned op = code[0] | (unsigned)code[1] << 8;
    const int class = compressed(op);
    if (class != CLASS_load) {
        return (classified){class, 0, -1, -1, -1};
    }
    return (op & 3) == 0 ? load(8 + (op >> 2 & 7), 8 + (op >> 7 & 7)) : load(op >> 7 & 31, 2);
}

mark mark_riscv(const uint8_t *code, unsigned bytes) {
    const uint32_t op = bytes == 4 ? word(code) : 0;
    return op == 0x00902013 ? START_MARK : op == 0x00a02013 ? STOP_MARK : NO_MARK; // slti x0, x0, 9 and 10
}
