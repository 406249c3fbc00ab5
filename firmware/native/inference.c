#include "inference.h"

int nn_in_model(const nn_inference *n, int64_t first, int64_t count, int64_t size) {
    return first >= 0 && count >= 0 && first + count * size <= (int64_t)(n->model_bytes / 4);
}

int nn_has_records(const nn_inference *n) {
    const int32_t *at = n->at;
    return (uintptr_t)n->model % 4 == 0 && n->model_bytes < (size_t)1 << 30
        && nn_in_model(n, at[NN_AT_BLOBS], at[NN_AT_N_RECORDS], BLOB_WORDS)
        && nn_in_model(n, at[NN_AT_LAYERS], at[NN_AT_N_LAYERS], LAYER_WORDS)
        && nn_in_model(n, at[NN_AT_OPERANDS], 0, 1) && nn_in_model(n, at[NN_AT_PARAMS], 0, 1) && at[NN_AT_WEIGHTS] >= 0
        && at[NN_AT_N_BLOBS] >= 0 && at[NN_AT_N_BLOBS] <= at[NN_AT_N_RECORDS];
}

int nn_is_sound(const nn_inference *n) {
    const int32_t *at = n->at;
    return nn_has_records(n) && at[NN_AT_N_BLOBS] <= n->n_slots
        && at[NN_AT_N_BLOBS] <= n->n_left && at[NN_AT_N_BLOBS] <= n->n_marks
        && at[NN_AT_N_LAYERS] <= n->n_marks - at[NN_AT_N_BLOBS];
}

int nn_find_room(const nn_inference *n, const nn_arena *arena, int32_t blob, int32_t bytes, int high, nn_room *room) {
    const int32_t *r = nn_blob_record(n, blob);
    int64_t hint = -1;
    room->base = n->state[NN_STATE_BASE];
    if (n->state[NN_STATE_LIGHTMODE] && r[B_PLACE] >= 0) {
        if (room->base < 0) {
            room->base = nn_arena_gap(arena, n->state[NN_STATE_FRAME]);
        }
        hint = (int64_t)room->base + r[B_PLACE];
    }
    if (!nn_arena_place(arena, bytes > r[B_BYTES] ? bytes : r[B_BYTES], hint, high, &room->place)) {
        return 0;
    }
    room->is_hit = room->place.offset == hint;
    return 1;
}

void nn_take_room(const nn_inference *n, nn_arena *arena, int32_t blob, const nn_room *room) {
    n->slots[blob] = (int16_t)nn_arena_take(arena, &room->place);
    n->state[NN_STATE_BASE] = room->base;
    int32_t *count = &n->state[room->is_hit ? NN_STATE_HITS : NN_STATE_MISSES];
    *count = (int32_t)((uint32_t)*count + 1);
}

int32_t nn_owner(const nn_inference *n, int32_t blob) {
    const int32_t owner = nn_blob_record(n, blob)[B_OWNER];
    return owner > 0 && owner <= n->at[NN_AT_N_BLOBS] ? owner - 1 : -1;
}

int64_t nn_blob_offset(const nn_inference *n, int32_t blob) {
    const nn_arena arena = {n->table, 0, 0};
    return (int64_t)nn_block(&arena, n->slots[blob])[NN_BLOCK_OFFSET] + nn_view_offset(n, blob);
}

static void release(const nn_inference *n, nn_arena *arena, int32_t blob) {
    nn_arena_release(arena, n->slots[blob]);
    n->slots[blob] = -1;
}

void nn_give_back(const nn_inference *n, nn_arena *arena, int32_t blob) {
    if (!nn_arena_is_live(arena, n->slots[blob])) {
        return;
    }
    release(n, arena, blob);
    const int32_t owner = nn_owner(n, blob);
    if (owner >= 0 && !n->left[owner] && nn_arena_is_live(arena, n->slots[owner])
        && nn_block(arena, n->slots[owner])[NN_BLOCK_REFERENCES] == 1) {
        release(n, arena, owner);
    }
}
