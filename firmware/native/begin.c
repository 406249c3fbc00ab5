// How an inference begins: what `Extractor._clear_in_python` of nnmicro/interpreter.py, for raw bytes `Blob.assign` of
// nnmicro/elements.py, and for an output in its turn `Extractor._begin_in_python` of nnmicro/beginning.py do.

#include "inference.h"

// Sixteen bytes at a time; of words, both of which are aligned.
static size_t copy_fours(uint32_t *to, const uint32_t *from, size_t words) {
    const size_t fours = words / 4;
    #if defined(__thumb__)
    for (size_t i = 0; i < fours; i++) { // GCC makes eight instructions and more of it
        __asm volatile ("ldmia %0!, {r3, r4, r5, r6}\n\tstmia %1!, {r3, r4, r5, r6}"
            : "+l"(from), "+l"(to) :: "r3", "r4", "r5", "r6", "memory");
    }
    #else
    for (size_t i = 0; i < fours; i++, to += 4, from += 4) {
        const uint32_t a = from[0], b = from[1], c = from[2], d = from[3];
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
    }
    #endif
    return 16 * fours;
}

void nn_copy_bytes(uint8_t *to, const uint8_t *from, size_t bytes) {
    size_t i = 0;
    if (!(((uintptr_t)to | (uintptr_t)from) & 3)) {
        i = copy_fours((uint32_t *)to, (const uint32_t *)from, bytes / 4);
        for (; i + 4 <= bytes; i += 4) {
            *(uint32_t *)(to + i) = *(const uint32_t *)(from + i);
        }
    }
    for (; i < bytes; i++) {
        to[i] = from[i];
    }
}

// Whether no input that is still read is missing.
static int all_given(const nn_inference *n) {
    for (int32_t blob = 0; blob < n->at[NN_AT_N_BLOBS]; blob++) {
        if (n->left[blob] && nn_blob_record(n, blob)[B_FLAGS] & INPUT && !(n->marks[n->at[NN_AT_N_LAYERS] + blob] & GIVEN)) {
            return 0;
        }
    }
    return 1;
}

int32_t nn_begin(const nn_inference *n, int32_t blob) {
    if (!nn_is_sound(n)) {
        return NN_RUN_BROKEN;
    }
    if (blob < 0 || blob >= n->at[NN_AT_N_BLOBS] || !(n->marks[n->at[NN_AT_N_LAYERS] + blob] & ASKED)) {
        return NN_LOOK;
    }
    const int32_t producer = nn_blob_record(n, blob)[B_PRODUCER];
    if (producer < -1 || producer >= n->at[NN_AT_N_LAYERS]) {
        return NN_RUN_BROKEN;
    }
    if (n->slots[blob] >= 0 && (producer < 0 || n->marks[producer] & DONE)) {
        return NN_IS_THERE;
    }
    // Without lightmode, too, blobs have no order to be asked for in.
    return producer >= 0 && n->state[NN_STATE_LIGHTMODE] && all_given(n) ? producer : NN_LOOK;
}

int nn_reset(const nn_inference *n, int32_t kept) {
    nn_arena arena;
    if (!nn_is_sound(n) || !nn_arena_of(n->table, n->table_words, n->arena_bytes, &arena) || n->n_first_left != n->n_left
        || n->n_first_marks != n->n_marks) {
        return NN_BAD_MODEL;
    }
    for (int32_t blob = 0; blob < n->at[NN_AT_N_BLOBS]; blob++) {
        if (!(nn_blob_record(n, blob)[B_FLAGS] & kept)) {
            nn_give_back(n, &arena, blob);
        }
    }
    for (int i = 0; i < n->n_left; i++) {
        n->left[i] = n->first_left[i];
    }
    nn_copy_bytes(n->marks, n->first_marks, (size_t)n->n_marks);
    n->state[NN_STATE_BASE] = -1;
    n->state[NN_STATE_HITS] = n->state[NN_STATE_MISSES] = 0;
    return NN_OK;
}

// Bytes from one element to the next along an axis of a tensor, and how many there are. Of 32 bits, for both are below
// 2^30: dividing 64 bits, and copying more of them, call libraries that a native module does not have.
typedef struct {
    int32_t count, step;
} axis;

// The axes as the source has them, the last one first, and the size of an element; 0 where the record is damaged.
static int source_axes(const int32_t *r, axis axes[3]) {
    static const uint8_t sizes[NN_DTYPES] = {0, 4, 1, 1, 2, 4};
    const int dtype = r[B_TYPE] & 0xFF;
    if (dtype <= 0 || dtype >= NN_DTYPES || r[B_ROWS] != r[B_H]) {
        return 0;
    }
    const int is_hwc = (r[B_TYPE] >> 16) != 0;
    int64_t end = sizes[dtype];
    for (int i = 0; i < 3; i++) {
        const int which = is_hwc ? (3 - i) % 3 : 2 - i; // of c, h, w in the record
        axes[i].count = r[B_C + which];
        axes[i].step = r[B_CSTEP + which];
        if (axes[i].count < 1 || axes[i].step < 1 || axes[i].count > (1 << 30) / axes[i].step) {
            return 0;
        }
        end += (int64_t)(axes[i].count - 1) * axes[i].step;
    }
    return end <= r[B_BYTES] ? sizes[dtype] : 0;
}

// Axes whose elements follow on from each other are one.
static void merge(axis axes[3]) {
    for (int i = 0; i < 2; i++) {
        if (axes[0].count == 1) {
            axes[0].count = axes[1].count;
            axes[0].step = axes[1].step;
        } else if (axes[1].count == 1 || axes[1].step == (int64_t)axes[0].count * axes[0].step) {
            axes[0].count *= axes[1].count;
        } else {
            return;
        }
        axes[1].count = axes[2].count;
        axes[1].step = axes[2].step;
        axes[2].count = axes[2].step = 1;
    }
}

// Elements of four bytes at multiples of four.
static void copy_words(uint8_t *to, const uint8_t *source, const axis *a) {
    const uint32_t *from = (const uint32_t *)(const void *)source;
    for (int32_t i = 0; i < a->count; i++) {
        *(uint32_t *)(void *)(to + (ptrdiff_t)i * a->step) = from[i];
    }
}

static void copy_in(uint8_t *target, const uint8_t *source, const axis axes[3], size_t item) {
    const size_t row = (size_t)axes[0].count * item;
    for (int32_t k = 0; k < axes[2].count; k++) {
        for (int32_t j = 0; j < axes[1].count; j++) {
            uint8_t *to = target + (ptrdiff_t)k * axes[2].step + (ptrdiff_t)j * axes[1].step;
            if (axes[0].step == (int32_t)item) {
                nn_copy_bytes(to, source, row);
            } else if (item == 4 && !(((uintptr_t)source | (uintptr_t)to | (uint32_t)axes[0].step) & 3)) {
                copy_words(to, source, &axes[0]);
            } else {
                for (int32_t i = 0; i < axes[0].count; i++) {
                    nn_copy_bytes(to + (ptrdiff_t)i * axes[0].step, source + (size_t)i * item, item);
                }
            }
            source += row;
        }
    }
}

int nn_set_input(const nn_inference *n, int32_t blob, const void *data, size_t bytes) {
    nn_arena arena;
    nn_room room;
    axis axes[3];
    if (!nn_is_sound(n) || !nn_arena_of(n->table, n->table_words, n->arena_bytes, &arena)) {
        return NN_BAD_MODEL;
    }
    if (blob < 0 || blob >= n->at[NN_AT_N_BLOBS]) {
        return NN_CANNOT;
    }
    const int32_t *r = nn_blob_record(n, blob);
    const int item = source_axes(r, axes);
    if (!item || !(r[B_FLAGS] & INPUT) || r[B_OWNER]) {
        return NN_CANNOT;
    }
    // Each product is below 2^30 times 2^30: an axis has at most so many elements.
    const int64_t plane = (int64_t)axes[0].count * axes[1].count;
    if (plane > r[B_BYTES] || plane * axes[2].count > r[B_BYTES] || plane * axes[2].count * item != (int64_t)bytes) {
        return NN_CANNOT;
    }
    int32_t at;
    const int is_new = n->slots[blob] < 0;
    if (is_new) {
        if (!nn_find_room(n, &arena, blob, 0, 0, &room)) {
            return NN_CANNOT; // Python raises ArenaFull
        }
        at = room.place.offset;
    } else {
        if (!nn_arena_is_live(&arena, n->slots[blob])) {
            return NN_BAD_MODEL;
        }
        at = nn_block(&arena, n->slots[blob])[NN_BLOCK_OFFSET];
    }
    if (at < 0 || r[B_BYTES] > arena.size || at > arena.size - r[B_BYTES]) {
        return NN_BAD_MODEL;
    }
    if (is_new) {
        nn_take_room(n, &arena, blob, &room);
        n->marks[n->at[NN_AT_N_LAYERS] + blob] |= GIVEN;
    }
    merge(axes);
    copy_in((uint8_t *)n->arena + at, data, axes, (size_t)item);
    return NN_OK;
}
