// Classes of instructions: what a core spends on one follows from its class and from what is counted beside.
#ifndef NNMICRO_QEMU_PLUGIN_CLASSES_H
#define NNMICRO_QEMU_PLUGIN_CLASSES_H

#include <stdbool.h>
#include <stdint.h>

// Every instruction is in exactly one class.
#define CLASSES(X) \
    X(plain) \
    X(load) /* of one register */ \
    X(load_next) /* the same, straight after another load, with an address that does not depend on that */ \
    X(store) \
    X(load_many) /* of several registers: LDM, LDRD, POP, VLDM */ \
    X(store_many) \
    X(branch) /* whether taken or not */ \
    X(multiply) \
    X(multiply_add) /* of 32 bits, or of two halves */ \
    X(multiply_long) /* to 64 bits, or the upper 32 of them */ \
    X(multiply_long_add) \
    X(divide) \
    X(float_multiply_add) \
    X(float_divide) /* square roots, too */

enum {
#define NAME(name) CLASS_##name,
    CLASSES(NAME)
#undef NAME
    CLASS_COUNT,
    // Counted beside the classes.
    COUNT_words = CLASS_COUNT, // that load_many and store_many move
    COUNT_taken, // times that the next instruction was not the one after, whatever the class
    COUNT_COUNT
};

typedef struct {
    int class, words;
    int loaded; // the register that a load of one register writes, else -1
    int base; // the one that its address is from
    int index; // a second one, or -1
} classified;

typedef enum { NO_MARK, START_MARK, STOP_MARK } mark;

// The bytes of an instruction, 2 or 4, by its first ones. QEMU's own figure is wrong for the last one of a page, where it
// has looked at the next one, too.
unsigned bytes_thumb(const uint8_t *code);
unsigned bytes_riscv(const uint8_t *code);

// `code` holds the instruction in the order of memory.
classified classify_thumb(const uint8_t *code, unsigned bytes);
classified classify_riscv(const uint8_t *code, unsigned bytes);
mark mark_thumb(const uint8_t *code, unsigned bytes);
mark mark_riscv(const uint8_t *code, unsigned bytes);

#endif
