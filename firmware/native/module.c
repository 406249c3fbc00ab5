// The MicroPython module `_nnmicro`: the same source in a firmware (micropython.mk, micropython.cmake) and as a native
// .mpy file (Makefile). It finds the buffers behind its arguments and allocates nothing.

#ifdef MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/objstr.h"
#include "py/runtime.h"
#endif

#include "nn.h"
#include "static_arena.h"

enum { MOST_BUFFERS = 8 };

// Steps are small: that many are done before the interpreter has its turn.
enum { STEPS_AT_A_TIME = 8 };

static void refuse(const char *text) {
    mp_raise_msg(&mp_type_ValueError, (mp_rom_error_text_t)text);
}

static mp_buffer_info_t buffer_of(mp_obj_t object, mp_uint_t flags, size_t item, size_t least) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(object, &info, flags);
    if ((uintptr_t)info.buf % item || info.len / item < least) {
        refuse("a buffer is too short or not aligned");
    }
    return info;
}

// kernel(name) -> its number in this build, or -1
static mp_obj_t kernel(mp_obj_t name) {
    size_t length;
    const char *text = mp_obj_str_get_data(name, &length);
    return mp_obj_new_int(nn_kernel(text, length));
}
static MP_DEFINE_CONST_FUN_OBJ_1(kernel_obj, kernel);

// call(record, buffers): record an array of int32, buffers a tuple of up to 8 buffers or None
static mp_obj_t call(mp_obj_t record_in, mp_obj_t buffers_in) {
    mp_buffer_info_t record = buffer_of(record_in, MP_BUFFER_READ, 4, 0);
    nn_buffer buffers[MOST_BUFFERS];
    size_t count;
    mp_obj_t *items;
    mp_obj_get_array(buffers_in, &count, &items);
    if (count > MOST_BUFFERS) {
        refuse("more than 8 buffers");
    }
    for (size_t i = 0; i < count; i++) {
        mp_buffer_info_t info;
        buffers[i].base = NULL;
        buffers[i].size = 0;
        buffers[i].writable = 0;
        if (items[i] == mp_const_none) {
            continue;
        }
        // Weights are never written to, wherever they lie.
        const int constant = i == NN_BUFFER_MODEL || i == NN_BUFFER_WEIGHTS;
        buffers[i].writable = !constant && mp_get_buffer(items[i], &info, MP_BUFFER_RW);
        if (!buffers[i].writable) {
            mp_get_buffer_raise(items[i], &info, MP_BUFFER_READ);
        }
        buffers[i].base = info.buf;
        buffers[i].size = info.len;
    }
    int error = nn_call(buffers, (int)count, record.buf, (int)(record.len / 4));
    if (error) {
        refuse(nn_error_text(error));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(call_obj, call);

static void inference_of(mp_obj_t context, nn_inference *n) {
    size_t count;
    mp_obj_t *items;
    mp_obj_get_array(context, &count, &items);
    if (count != 11) {
        refuse("a context has 11 buffers");
    }
    mp_buffer_info_t info = buffer_of(items[0], MP_BUFFER_READ, 4, 0);
    n->model = info.buf;
    n->model_bytes = info.len;
    n->at = buffer_of(items[1], MP_BUFFER_READ, 4, NN_AT_WORDS).buf;
    info = buffer_of(items[2], MP_BUFFER_READ, 2, 0);
    n->kernels = info.buf;
    n->n_kernels = (int)(info.len / 2);
    info = buffer_of(items[3], MP_BUFFER_RW, 1, 0);
    n->arena = info.buf;
    n->arena_bytes = info.len;
    info = buffer_of(items[4], MP_BUFFER_RW, 4, 0);
    n->table = info.buf;
    n->table_words = (int)(info.len / 4);
    info = buffer_of(items[5], MP_BUFFER_RW, 2, 0);
    n->slots = info.buf;
    n->n_slots = (int)(info.len / 2);
    info = buffer_of(items[6], MP_BUFFER_RW, 2, 0);
    n->left = info.buf;
    n->n_left = (int)(info.len / 2);
    info = buffer_of(items[7], MP_BUFFER_RW, 1, 0);
    n->marks = info.buf;
    n->n_marks = (int)info.len;
    n->state = buffer_of(items[8], MP_BUFFER_RW, 4, NN_STATE_WORDS).buf;
    info = buffer_of(items[9], MP_BUFFER_READ, 2, 0);
    n->first_left = info.buf;
    n->n_first_left = (int)(info.len / 2);
    info = buffer_of(items[10], MP_BUFFER_RW, 1, 0);
    n->first_marks = info.buf;
    n->n_first_marks = (int)info.len;
}

// Whether the interpreter has something else to do: Ctrl-C, a scheduled call, another thread. It does that between two
// calls of `run` and never inside, where the arena is locked. A native module cannot know, and always lets it.
static int is_wanted(void) {
    #if defined(MICROPY_ENABLE_DYNRUNTIME) || MICROPY_PY_THREAD_GIL
    return 1;
    #else
    #if MICROPY_ENABLE_SCHEDULER
    if (MP_STATE_VM(sched_state) == MP_SCHED_PENDING) {
        return 1;
    }
    #endif
    return MP_STATE_THREAD(mp_pending_exception) != MP_OBJ_NULL;
    #endif
}

// run(context, first, stop, mark, budget) -> the layer to go on with, or -1 - layer where Python has to do that one
static mp_obj_t run(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    nn_inference inference;
    inference_of(args[0], &inference);
    const mp_int_t first = mp_obj_get_int(args[1]), stop = mp_obj_get_int(args[2]);
    const mp_int_t mark = mp_obj_get_int(args[3]);
    const mp_int_t budget = mp_obj_get_int(args[4]);
    if (first < 0 || stop < first || stop > INT16_MAX) {
        refuse("no such layers");
    }
    const int32_t next = nn_run(&inference, (int32_t)first, (int32_t)stop, (int)mark, budget > INT16_MAX ? INT16_MAX : (int32_t)budget,
        is_wanted, NULL);
    if (next == NN_RUN_BROKEN) {
        refuse("the context is no inference of its model");
    }
    return mp_obj_new_int(next);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(run_obj, 5, 5, run);

// Steps from `first` on, at most `count`, with rows of an input where they are given.
static mp_obj_t run_steps(mp_obj_t context, mp_int_t first, mp_int_t count, nn_given *given) {
    nn_inference n;
    size_t items_count;
    mp_obj_t *items;
    mp_obj_get_array(context, &items_count, &items);
    if (items_count != 5) {
        refuse("a stream's context has 5 buffers");
    }
    mp_buffer_info_t info = buffer_of(items[0], MP_BUFFER_READ, 4, 0);
    n.model = info.buf;
    n.model_bytes = info.len;
    n.at = buffer_of(items[1], MP_BUFFER_READ, 4, NN_AT_WORDS).buf;
    info = buffer_of(items[2], MP_BUFFER_READ, 2, 0);
    n.kernels = info.buf;
    n.n_kernels = (int)(info.len / 2);
    info = buffer_of(items[3], MP_BUFFER_RW, 1, 0);
    n.arena = info.buf;
    n.arena_bytes = info.len;
    info = buffer_of(items[4], MP_BUFFER_RW, 4, 1);
    const int32_t base = *(int32_t *)info.buf;
    uint8_t *const known = (uint8_t *)info.buf + 4;
    const int32_t known_layers = (int32_t)info.len - 4;
    if (first < 0 || first > INT32_MAX || count < 0 || count > INT32_MAX - first) {
        refuse("no such steps");
    }
    const int32_t end = (int32_t)(first + count);
    int32_t next = (int32_t)first, stop;
    do {
        stop = end - next < STEPS_AT_A_TIME ? end : next + STEPS_AT_A_TIME;
        next = nn_run_steps(&n, base, next, stop - next, known, known_layers, given, NULL);
        if (next == NN_RUN_BROKEN) {
            refuse("the context is no inference of its model");
        }
    } while (next == stop && next < end && !is_wanted());
    return mp_obj_new_int(next);
}

// steps(context, first, count) -> the step to go on with; `first` where Python has to do that one
static mp_obj_t steps(mp_obj_t context, mp_obj_t first, mp_obj_t count) {
    return run_steps(context, mp_obj_get_int(first), mp_obj_get_int(count), NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_3(steps_obj, steps);

// feed(context, first, count, input, blob, data, at, rows) -> as `steps`, which take rows of that input from byte `at` of `data` on;
// rows[input], how many it was given, counts up
static mp_obj_t feed(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    const mp_buffer_info_t data = buffer_of(args[5], MP_BUFFER_READ, 1, 0), rows = buffer_of(args[7], MP_BUFFER_RW, 4, 1);
    const mp_int_t input = mp_obj_get_int(args[3]), blob = mp_obj_get_int(args[4]), at = mp_obj_get_int(args[6]);
    if (input < 0 || (size_t)input >= rows.len / 4 || blob < 0 || blob > INT16_MAX || at < 0 || (size_t)at > data.len) {
        refuse("no such input or rows");
    }
    int32_t *const taken = (int32_t *)rows.buf + input;
    nn_given given = {(int32_t)input, (int32_t)blob, (const uint8_t *)data.buf + at, data.len - (size_t)at, *taken};
    const mp_obj_t next = run_steps(args[0], mp_obj_get_int(args[1]), mp_obj_get_int(args[2]), &given);
    *taken = given.next;
    return next;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(feed_obj, 8, 8, feed);

// copy(target, at, source, from, count): bytes from one buffer into another
static mp_obj_t copy(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    const mp_buffer_info_t to = buffer_of(args[0], MP_BUFFER_RW, 1, 0), from = buffer_of(args[2], MP_BUFFER_READ, 1, 0);
    const mp_int_t at = mp_obj_get_int(args[1]), start = mp_obj_get_int(args[3]), count = mp_obj_get_int(args[4]);
    if (at < 0 || start < 0 || count < 0 || (size_t)at > to.len || (size_t)count > to.len - (size_t)at
        || (size_t)start > from.len || (size_t)count > from.len - (size_t)start) {
        refuse("the bytes to copy are outside the buffers");
    }
    uint8_t *target = (uint8_t *)to.buf + at;
    const uint8_t *source = (const uint8_t *)from.buf + start;
    for (mp_int_t i = 0; i < count; i++) { // a native module has no memcpy
        target[i] = source[i];
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(copy_obj, 5, 5, copy);

static void check(int error) {
    if (error == NN_BAD_MODEL) {
        refuse("the context is no inference of its model");
    }
}

// input(context, blob, data) -> whether it could be done; else nothing has happened, and Python has to
static mp_obj_t input(mp_obj_t context, mp_obj_t blob, mp_obj_t data) {
    nn_inference inference;
    inference_of(context, &inference);
    const mp_buffer_info_t info = buffer_of(data, MP_BUFFER_READ, 1, 0);
    const int error = nn_set_input(&inference, (int32_t)mp_obj_get_int(blob), info.buf, info.len);
    check(error);
    return mp_obj_new_bool(error == NN_OK);
}
static MP_DEFINE_CONST_FUN_OBJ_3(input_obj, input);

// begin(context, blob) -> the layer to run up to; -1: the blob is there; -2: Python has to look
static mp_obj_t begin(mp_obj_t context, mp_obj_t blob) {
    nn_inference inference;
    inference_of(context, &inference);
    const int32_t stop = nn_begin(&inference, (int32_t)mp_obj_get_int(blob));
    check(stop == NN_RUN_BROKEN ? NN_BAD_MODEL : NN_OK);
    return mp_obj_new_int(stop);
}
static MP_DEFINE_CONST_FUN_OBJ_2(begin_obj, begin);

// reset(context, kept): give all blobs back but those with these flags, and be as at the start
static mp_obj_t reset(mp_obj_t context, mp_obj_t kept) {
    nn_inference inference;
    inference_of(context, &inference);
    check(nn_reset(&inference, (int32_t)mp_obj_get_int(kept)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(reset_obj, reset);

#ifdef MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_ABI, MP_OBJ_NEW_SMALL_INT(NN_ABI));
    mp_store_global(MP_QSTR_kernel, MP_OBJ_FROM_PTR(&kernel_obj));
    mp_store_global(MP_QSTR_call, MP_OBJ_FROM_PTR(&call_obj));
    mp_store_global(MP_QSTR_run, MP_OBJ_FROM_PTR(&run_obj));
    mp_store_global(MP_QSTR_input, MP_OBJ_FROM_PTR(&input_obj));
    mp_store_global(MP_QSTR_begin, MP_OBJ_FROM_PTR(&begin_obj));
    mp_store_global(MP_QSTR_reset, MP_OBJ_FROM_PTR(&reset_obj));
    mp_store_global(MP_QSTR_steps, MP_OBJ_FROM_PTR(&steps_obj));
    mp_store_global(MP_QSTR_feed, MP_OBJ_FROM_PTR(&feed_obj));
    mp_store_global(MP_QSTR_copy, MP_OBJ_FROM_PTR(&copy_obj));
    MP_DYNRUNTIME_INIT_EXIT
}

#else

#ifdef NN_BUILD
static MP_DEFINE_STR_OBJ(build_obj, NN_BUILD);
#endif

static const mp_rom_map_elem_t globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__nnmicro)},
    {MP_ROM_QSTR(MP_QSTR_ABI), MP_ROM_INT(NN_ABI)},
    {MP_ROM_QSTR(MP_QSTR_kernel), MP_ROM_PTR(&kernel_obj)},
    {MP_ROM_QSTR(MP_QSTR_call), MP_ROM_PTR(&call_obj)},
    {MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&run_obj)},
    {MP_ROM_QSTR(MP_QSTR_input), MP_ROM_PTR(&input_obj)},
    {MP_ROM_QSTR(MP_QSTR_begin), MP_ROM_PTR(&begin_obj)},
    {MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&reset_obj)},
    {MP_ROM_QSTR(MP_QSTR_steps), MP_ROM_PTR(&steps_obj)},
    {MP_ROM_QSTR(MP_QSTR_feed), MP_ROM_PTR(&feed_obj)},
    {MP_ROM_QSTR(MP_QSTR_copy), MP_ROM_PTR(&copy_obj)},
    #ifdef NN_BUILD
    {MP_ROM_QSTR(MP_QSTR_BUILD), MP_ROM_PTR(&build_obj)},
    #endif
    #if NN_STATIC_ARENA
    {MP_ROM_QSTR(MP_QSTR_arena), MP_ROM_PTR(&nn_static_arena_obj)},
    #endif
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t nnmicro_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&globals,
};

MP_REGISTER_MODULE(MP_QSTR__nnmicro, nnmicro_module);

#endif
