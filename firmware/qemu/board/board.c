// The board: its start, its time, and the module `qemu`.
//
//   qemu.disk                   the block device that the file system lies on
//   qemu.instructions(f, ...)   calls f(...) and returns how many instructions that took, the call itself included;
//                               exact if the emulator counts them (-icount shift=7), else meaningless
//   qemu.measure(f, ...)        the same, but returns what f returns; qemu.measured() then says how many

#include <stdlib.h>
#include <string.h>

#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stackctrl.h"
#include "extmod/vfs.h"
#include "shared/runtime/interrupt_char.h"
#include "shared/runtime/pyexec.h"

#include "machine.h"
#include "marks.h"

#define SYS_WRITE0 (0x04)
#define SYS_GET_CMDLINE (0x15)
#define STACK_RESERVE (1024) // what C code may need beyond the limit that MicroPython checks

extern uint8_t _heap_start, _heap_end, _estack;
extern const mp_obj_base_t qemu_disk_obj;

// Time comes from the machine's counter.

mp_uint_t mp_hal_ticks_ms(void) {
    return machine_time_ns() / 1000000;
}

mp_uint_t mp_hal_ticks_us(void) {
    return machine_time_ns() / 1000;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return machine_ticks();
}

uint64_t mp_hal_time_ns(void) {
    return machine_time_ns();
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t end = machine_time_ns() + (uint64_t)us * 1000;
    while (machine_time_ns() < end) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t end = machine_time_ns() + (uint64_t)ms * 1000000;
    while (machine_time_ns() < end) {
        mp_event_handle_nowait();
    }
}

static uint64_t measured_ticks;

static mp_obj_t qemu_measure(size_t count, const mp_obj_t *arguments) {
    uint64_t before = machine_ticks();
    MARK_START();
    mp_obj_t result = mp_call_function_n_kw(arguments[0], count - 1, 0, arguments + 1);
    MARK_STOP();
    measured_ticks = machine_ticks() - before;
    return result;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(qemu_measure_obj, 1, qemu_measure);

static mp_obj_t qemu_measured(void) {
    return mp_obj_new_int_from_ull(machine_instructions(measured_ticks));
}
static MP_DEFINE_CONST_FUN_OBJ_0(qemu_measured_obj, qemu_measured);

static mp_obj_t qemu_instructions(size_t count, const mp_obj_t *arguments) {
    qemu_measure(count, arguments);
    return qemu_measured();
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(qemu_instructions_obj, 1, qemu_instructions);

static const mp_rom_map_elem_t qemu_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_qemu)},
    {MP_ROM_QSTR(MP_QSTR_disk), MP_ROM_PTR(&qemu_disk_obj)},
    {MP_ROM_QSTR(MP_QSTR_instructions), MP_ROM_PTR(&qemu_instructions_obj)},
    {MP_ROM_QSTR(MP_QSTR_measure), MP_ROM_PTR(&qemu_measure_obj)},
    {MP_ROM_QSTR(MP_QSTR_measured), MP_ROM_PTR(&qemu_measured_obj)},
};
static MP_DEFINE_CONST_DICT(qemu_globals, qemu_globals_table);
const mp_obj_module_t qemu_module = {.base = {&mp_type_module}, .globals = (mp_obj_dict_t *)&qemu_globals};
MP_REGISTER_MODULE(MP_QSTR_qemu, qemu_module);

// The heap's end: the host says with "heap=BYTES" how large it shall be, within the RAM that there is.
static uint8_t *heap_end(void) {
    static char line[256];
    struct {
        char *text;
        uint32_t length;
    } argument = {line, sizeof(line)};
    size_t room = &_heap_end - &_heap_start;
    if (machine_semihosting(SYS_GET_CMDLINE, &argument) == 0) {
        const char *given = strstr(line, "heap=");
        size_t size = 0;
        for (given = given ? given + 5 : ""; *given >= '0' && *given <= '9' && size <= room; given++) {
            size = 10 * size + (*given - '0');
        }
        if (size > 0 && size < room) {
            return &_heap_start + size;
        }
    }
    return &_heap_end;
}

int __wrap_main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    machine_init();
    mp_stack_set_top(&_estack);
    mp_stack_set_limit(&_estack - &_heap_end - STACK_RESERVE);
    uint8_t *end = heap_end();
    for (;;) {
        gc_init(&_heap_start, end);
        mp_init();
        mp_vfs_mount_romfs_protected();
        pyexec_frozen_module("_boot.py", false);
        pyexec_file_if_exists("boot.py");
        if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL) {
            pyexec_file_if_exists("main.py");
        }
        int result = 0;
        while (result == 0) {
            result = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        }
        mp_printf(&mp_plat_print, "MPY: soft reboot\n");
        mp_hal_set_interrupt_char(-1);
        gc_sweep_all();
        mp_deinit();
    }
}

// The message goes to the host past the console, which belongs to the program.

static char message[160];
static size_t message_length;

static void append(void *unused, const char *text, size_t length) {
    (void)unused;
    size_t room = sizeof(message) - 1 - message_length;
    length = MIN(length, room);
    memcpy(message + message_length, text, length);
    message_length += length;
}

void board_fault(const char *what, uint32_t program_counter, uint32_t link, uint32_t status, uint32_t address) {
    static const mp_print_t print = {NULL, append};
    mp_printf(&print, "%s at 0x%08x (called from 0x%08x; status 0x%08x, address 0x%08x)\n", what,
        (unsigned)program_counter, (unsigned)link, (unsigned)status, (unsigned)address);
    machine_semihosting(SYS_WRITE0, message);
    exit(1);
}
