// A plugin for QEMU 4.2 to 8: counts executed instructions by class between two marks in the program
// (firmware/qemu/board/marks.h).
//
//     qemu-system-arm … -plugin <this>,out=<file>
//
// The file gets a line with the names of what is counted, and one of figures for each interval that ends. An interval
// that begins before the last one has ended takes its place.
//
// QEMU's header is in no package of the distribution: what is used of its API (include/qemu/qemu-plugin.h, version 1) is
// declared here.

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "classes.h"

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t identity;
typedef struct {
    const char *target_name;
    struct {
        int minimum, current;
    } version;
    bool is_system;
    int processors, most_processors;
} emulator_info;
struct block;
struct instruction;
enum { NO_REGISTERS, ADD = 0 };
typedef void (*callback)(unsigned processor, void *data);

extern void qemu_plugin_register_vcpu_tb_trans_cb(identity, void (*)(identity, struct block *));
extern size_t qemu_plugin_tb_n_insns(const struct block *);
extern uint64_t qemu_plugin_tb_vaddr(const struct block *);
extern struct instruction *qemu_plugin_tb_get_insn(const struct block *, size_t);
extern const void *qemu_plugin_insn_data(const struct instruction *);
extern uint64_t qemu_plugin_insn_vaddr(const struct instruction *);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct block *, callback, int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct instruction *, callback, int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *, int operation, void *, uint64_t);

EXPORT int qemu_plugin_version = 1;

static unsigned (*bytes_of)(const uint8_t *);
static classified (*classify)(const uint8_t *, unsigned);
static mark (*mark_of)(const uint8_t *, unsigned);
static uint64_t counts[COUNT_COUNT], before[COUNT_COUNT];
static uintptr_t expected; // the address after the last instruction of the block that has ended, or 0
static bool counting;
static int out;

static void begins(unsigned processor, void *address) {
    (void)processor;
    counts[COUNT_taken] += expected && expected != (uintptr_t)address;
    expected = 0;
}

static void ends(unsigned processor, void *next) {
    (void)processor;
    expected = (uintptr_t)next;
}

static void start(unsigned processor, void *unused) {
    (void)processor, (void)unused;
    memcpy(before, counts, sizeof counts);
    counting = true;
}

static void stop(unsigned processor, void *unused) {
    (void)processor, (void)unused;
    char line[COUNT_COUNT * 21 + 1];
    size_t length = 0;
    for (int i = 0; i < COUNT_COUNT; i++) {
        length += (size_t)sprintf(line + length, "%llu ", (unsigned long long)(counts[i] - before[i]));
    }
    line[length - 1] = '\n';
    if (counting && write(out, line, length) != (ssize_t)length) {
        perror("the instruction counter");
    }
    counting = false;
}

// Branches end a block, so that those that are taken are seen by where the next block begins.
static void translated(identity id, struct block *block) {
    (void)id;
    const size_t n = qemu_plugin_tb_n_insns(block);
    qemu_plugin_register_vcpu_tb_exec_cb(block, begins, NO_REGISTERS, (void *)(uintptr_t)qemu_plugin_tb_vaddr(block));
    int loaded = -1;
    for (size_t i = 0; i < n; i++) {
        struct instruction *each = qemu_plugin_tb_get_insn(block, i);
        const uint8_t *code = qemu_plugin_insn_data(each);
        const unsigned bytes = bytes_of(code);
        const mark found = mark_of(code, bytes);
        if (found) {
            qemu_plugin_register_vcpu_insn_exec_cb(each, found == START_MARK ? start : stop, NO_REGISTERS, 0);
        } else {
            classified c = classify(code, bytes);
            if (c.class == CLASS_load && loaded >= 0 && c.loaded >= 0 && c.base != loaded && c.index != loaded) {
                c.class = CLASS_load_next;
            }
            loaded = c.loaded;
            qemu_plugin_register_vcpu_insn_exec_inline(each, ADD, counts + c.class, 1);
            if (c.words) {
                qemu_plugin_register_vcpu_insn_exec_inline(each, ADD, counts + COUNT_words, (uint64_t)c.words);
            }
        }
        if (i + 1 == n) {
            void *next = (void *)(uintptr_t)(qemu_plugin_insn_vaddr(each) + bytes);
            qemu_plugin_register_vcpu_insn_exec_cb(each, ends, NO_REGISTERS, next);
        }
    }
}

EXPORT int qemu_plugin_install(identity id, const emulator_info *info, int count, char **arguments) {
    static const char names[] =
#define NAME(name) #name " "
        CLASSES(NAME) "words taken\n";
    const bool is_arm = !strcmp(info->target_name, "arm");
    if (!is_arm && strcmp(info->target_name, "riscv32")) {
        fprintf(stderr, "the instruction counter knows arm and riscv32, not %s\n", info->target_name);
        return 1;
    }
    if (count != 1 || strncmp(arguments[0], "out=", 4)) {
        fprintf(stderr, "the instruction counter is given out=<file>\n");
        return 1;
    }
    out = open(arguments[0] + 4, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (out < 0 || write(out, names, sizeof names - 1) != sizeof names - 1) {
        perror(arguments[0] + 4);
        return 1;
    }
    bytes_of = is_arm ? bytes_thumb : bytes_riscv;
    classify = is_arm ? classify_thumb : classify_riscv;
    mark_of = is_arm ? mark_thumb : mark_riscv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
