// The state of an inference, as run.c and begin.c see it.

#ifndef NN_INFERENCE_H
#define NN_INFERENCE_H

#include "arena.h"

// nnmicro/format.py
enum { BLOB_WORDS = 16, B_TYPE = 0, B_FLAGS, B_BYTES, B_C, B_H, B_W, B_CSTEP, B_RSTEP, B_PSTEP, B_ROWS, B_PLACE, B_PRODUCER = 12, B_OWNER = 14 };
enum { LAYER_WORDS = 12, L_OP = 0, L_FLAGS, L_OPERANDS, L_INPUTS, L_OUTPUTS, L_PARAMS, L_PARAM_COUNT, L_WORKSPACE = 8 };
enum { SHARE = 1, IN_PLACE = 2, OVER = 4 };
enum { INPUT = 1 };
enum { NN_PLACE_WORDS = 3 }; // of a blob in a streamed model

// nnmicro/extractor.py: marks of layers, and of blobs
enum { DONE = 1, COUNTED = 2 };
enum { GIVEN = 1, ASKED = 2 };

// Whether all arrays are as long as the model needs them, and the table is one.
int nn_is_sound(const nn_inference *n);

// Whether the model has all the records that it says it has.
int nn_has_records(const nn_inference *n);

// Whether `count` records of `size` words from word `first` on lie inside the model.
int nn_in_model(const nn_inference *n, int64_t first, int64_t count, int64_t size);

// A native module links without the C library's.
void nn_copy_bytes(uint8_t *to, const uint8_t *from, size_t bytes);

static inline const int32_t *nn_words(const nn_inference *n) {
    return (const int32_t *)n->model;
}

static inline const int32_t *nn_blob_record(const nn_inference *n, int32_t blob) {
    return nn_words(n) + n->at[NN_AT_BLOBS] + (ptrdiff_t)blob * BLOB_WORDS;
}

// Where a blob's new block will lie: `Extractor._alloc` of nnmicro/interpreter.py.
typedef struct {
    nn_placement place;
    int32_t base; // of the frame, if it had to be found
    int is_hit; // it lies where it was planned
} nn_room;

// 0 where there is none. `bytes` of it, or what the blob takes, where that is more. Nothing changes before nn_take_room.
int nn_find_room(const nn_inference *n, const nn_arena *arena, int32_t blob, int32_t bytes, int high, nn_room *room);
void nn_take_room(const nn_inference *n, nn_arena *arena, int32_t blob, const nn_room *room);

// The blob in whose block a blob lies, or -1: in its own. Any other number where the record is damaged.
int32_t nn_owner(const nn_inference *n, int32_t blob);

// Where a blob lies in the block that it is in.
static inline int32_t nn_view_offset(const nn_inference *n, int32_t blob) {
    const int32_t *r = nn_blob_record(n, blob);
    return r[B_OWNER] ? r[B_PLACE] : 0;
}

// Where one that has a block lies in the arena. Any other number where the table is damaged.
int64_t nn_blob_offset(const nn_inference *n, int32_t blob);

// And its owner's that nobody will read, when nothing else lies in it. Not where a damaged count has given it back before.
void nn_give_back(const nn_inference *n, nn_arena *arena, int32_t blob);

#endif
