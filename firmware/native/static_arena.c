// The collector scans every live buffer of the heap, word by word; it does not look in here. One holder at a time: the
// memory is free again when the object that stands for it has been collected.

#include "static_arena.h"

#if NN_STATIC_ARENA

#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"

#if !MICROPY_ENABLE_FINALISER
#error "NN_STATIC_ARENA needs a firmware with MICROPY_ENABLE_FINALISER: nobody would notice that the memory is free again"
#endif

enum { ALIGNMENT = 16 };

typedef struct {
    mp_obj_base_t base;
    size_t size;
} static_arena_t;

static uint8_t memory[NN_STATIC_ARENA] __attribute__((aligned(ALIGNMENT)));
static volatile bool is_taken;

static bool take(void) {
    const mp_uint_t state = MICROPY_BEGIN_ATOMIC_SECTION();
    const bool was_free = !is_taken;
    is_taken = true;
    MICROPY_END_ATOMIC_SECTION(state);
    return was_free;
}

static mp_int_t buffer(mp_obj_t self_in, mp_buffer_info_t *info, mp_uint_t flags) {
    (void)flags;
    const static_arena_t *self = MP_OBJ_TO_PTR(self_in);
    info->buf = memory;
    info->len = self->size;
    info->typecode = 'B';
    return 0;
}

static mp_obj_t give_back(mp_obj_t self_in) {
    static_arena_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->size) {
        self->size = 0;
        is_taken = false;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(give_back_obj, give_back);

static const mp_rom_map_elem_t locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&give_back_obj)},
};
static MP_DEFINE_CONST_DICT(locals, locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(static_arena_type, MP_QSTR_arena, MP_TYPE_FLAG_NONE,
    buffer, buffer, locals_dict, &locals);

// arena(nbytes) -> a buffer of so many bytes (rounded up to 16) that is no part of the heap; None where the firmware
// keeps less, or another net has it
static mp_obj_t arena(mp_obj_t nbytes_in) {
    const mp_int_t nbytes = mp_obj_get_int(nbytes_in);
    if (nbytes <= 0 || nbytes > NN_STATIC_ARENA) {
        return mp_const_none;
    }
    static_arena_t *self = mp_obj_malloc_with_finaliser(static_arena_t, &static_arena_type);
    self->size = 0;
    if (!take()) {
        gc_collect(); // its holder may be gone, and nobody has noticed
        if (!take()) {
            return mp_const_none;
        }
    }
    self->size = (nbytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return MP_OBJ_FROM_PTR(self);
}
MP_DEFINE_CONST_FUN_OBJ_1(nn_static_arena_obj, arena);

#endif
