// The loop over the layers: what `Extractor._run` of nnmicro/interpreter.py does, over the same arrays, so that Python and
// this may take turns layer by layer. A layer is carried out before anything is noted down, so one that fails leaves no trace.

#include "inference.h"
#include "kernel.h"

int nn_model_operand(const nn_state *call, int32_t i, int32_t *words) {
    const nn_inference *n = call->inference;
    const int32_t blob = call->blobs[i]; // one of the model's: `prepare` has looked
    const int32_t *r = nn_blob_record(n, blob);
    int64_t offset;
    words[NN_O_ROWS] = r[B_ROWS];
    words[NN_O_BYTES] = r[B_BYTES];
    words[NN_O_PHASE] = 0;
    if (blob >= n->at[NN_AT_N_BLOBS]) {
        words[NN_O_BUFFER] = NN_BUFFER_MODEL;
        offset = (int64_t)n->at[NN_AT_WEIGHTS] + r[B_PLACE];
    } else {
        words[NN_O_BUFFER] = NN_BUFFER_ARENA;
        offset = call->places ? 0 : i == call->n_in ? call->out_offset : nn_blob_offset(n, blob);
    }
    words[NN_O_OFFSET] = offset < 0 || offset > INT32_MAX ? -1 : (int32_t)offset;
    if (call->places && blob < n->at[NN_AT_N_BLOBS]) {
        nn_place_operand(call, blob, r, words);
    }
    for (int k = 0; k < 6; k++) {
        words[NN_O_C + k] = r[B_C + k];
    }
    words[NN_O_DTYPE] = r[B_TYPE] & 0xFF;
    return NN_OK;
}

int nn_layer_call(const nn_inference *n, const int32_t *layer, nn_state *call) {
    const int64_t n_in = layer[L_INPUTS];
    if (n_in < 1 || layer[L_OUTPUTS] != 1) {
        return NN_CANNOT;
    }
    if (!nn_is_proven(call) && (layer[L_OPERANDS] < 0 || !nn_in_model(n, (int64_t)n->at[NN_AT_OPERANDS] + layer[L_OPERANDS], n_in + 1, 1)
        || layer[L_PARAMS] < 0 || !nn_in_model(n, (int64_t)n->at[NN_AT_PARAMS] + layer[L_PARAMS], layer[L_PARAM_COUNT], 1)
        || layer[L_OP] < 0 || layer[L_OP] >= n->n_kernels)) {
        return NN_BAD_MODEL;
    }
    call->n_in = layer[L_INPUTS];
    call->blobs = nn_words(n) + n->at[NN_AT_OPERANDS] + layer[L_OPERANDS];
    call->n_params = layer[L_PARAM_COUNT];
    call->params = nn_words(n) + n->at[NN_AT_PARAMS] + layer[L_PARAMS];
    call->kernel = n->kernels[layer[L_OP]];
    for (int32_t i = 0; i <= call->n_in && !nn_is_proven(call); i++) {
        const int32_t blob = call->blobs[i];
        if (blob < 0 || blob >= n->at[i < call->n_in ? NN_AT_N_RECORDS : NN_AT_N_BLOBS]) {
            return NN_BAD_MODEL;
        }
    }
    return NN_OK;
}

// Fill in a layer's call and look that all it names is there.
static int prepare(const nn_inference *n, const nn_arena *arena, const int32_t *layer, nn_state *call) {
    NN_TRY(nn_layer_call(n, layer, call));
    for (int32_t i = 0; i < call->n_in; i++) {
        if (call->blobs[i] < n->at[NN_AT_N_BLOBS] && !nn_arena_is_live(arena, n->slots[call->blobs[i]])) {
            return NN_BAD_MODEL;
        }
    }
    return NN_OK;
}

// Where a layer's output goes: a block that is there, or a new one.
typedef struct {
    int32_t shared; // the first, or -1
    int32_t owner; // whose that new one is: the output's own, or the blob's that the output lies in
    int is_there; // the output has the block already
    int leaves; // it had, and leaves it to the input
    nn_room room;
} target;

static int find_target(const nn_inference *n, const nn_arena *arena, const nn_state *call, int32_t flags, target *t) {
    const int32_t source = call->blobs[0], blob = call->blobs[call->n_in];
    const int is_blob = source < n->at[NN_AT_N_BLOBS];
    const int lightmode = n->state[NN_STATE_LIGHTMODE] != 0;
    const int32_t block = is_blob ? n->slots[source] : -1;
    if (flags && !is_blob) {
        return NN_BAD_MODEL;
    }
    t->owner = nn_owner(n, blob);
    t->is_there = t->leaves = 0;
    if (flags & SHARE) {
        t->shared = block;
        return NN_OK;
    }
    if (n->slots[blob] >= 0) { // made with the first blob that is gathered in it, or with the input that it is written over
        t->shared = n->slots[blob];
        t->is_there = 1;
        if (!nn_arena_is_live(arena, t->shared)) {
            return NN_BAD_MODEL;
        }
        if (!(flags & OVER) || (lightmode && n->left[source] == 1)) {
            return NN_OK;
        }
        // The input is still wanted: it keeps the block.
        if (block != t->shared || nn_block(arena, block)[NN_BLOCK_REFERENCES] < 2) {
            return NN_BAD_MODEL;
        }
        t->is_there = 0;
        t->leaves = 1;
    } else if (flags & IN_PLACE && lightmode && n->left[source] == 1 && nn_block(arena, block)[NN_BLOCK_REFERENCES] == 1) {
        t->shared = block;
        return NN_OK;
    } else if (t->owner >= 0 && n->slots[t->owner] >= 0) {
        t->shared = n->slots[t->owner];
        return nn_arena_is_live(arena, t->shared) ? NN_OK : NN_BAD_MODEL;
    }
    t->shared = -1;
    // At the end of the arena that the first input is not at.
    int high = 1;
    if (is_blob) {
        const int64_t at = nn_block(arena, block)[NN_BLOCK_OFFSET];
        high = at <= arena->size - at - nn_block(arena, block)[NN_BLOCK_BYTES];
    }
    int32_t bytes = 0;
    if (t->owner < 0) {
        t->owner = blob;
    } else {
        const int32_t *r = nn_blob_record(n, blob);
        const int64_t end = (int64_t)r[B_PLACE] + r[B_BYTES];
        bytes = end < INT32_MAX ? (int32_t)end : INT32_MAX; // more than any arena has
    }
    return nn_find_room(n, arena, t->owner, bytes, high, &t->room) ? NN_OK : NN_CANNOT; // Python raises ArenaFull, with who holds what
}

// Note down that a layer has run: its output is there, its inputs have one reader less.
static void settle(const nn_inference *n, nn_arena *arena, const nn_state *call, const target *t) {
    const int32_t blob = call->blobs[call->n_in];
    int32_t shared = t->shared;
    if (t->leaves) {
        nn_arena_release(arena, n->slots[blob]);
    }
    if (shared < 0) {
        nn_take_room(n, arena, t->owner, &t->room);
        shared = n->slots[t->owner];
    }
    if (!t->is_there && (t->shared >= 0 || t->owner != blob)) {
        nn_arena_retain(arena, shared);
        n->slots[blob] = (int16_t)shared;
    }
    if (!n->state[NN_STATE_LIGHTMODE]) {
        return;
    }
    for (int32_t i = 0; i < call->n_in; i++) {
        const int32_t input = call->blobs[i];
        if (input < n->at[NN_AT_N_BLOBS]) {
            n->left[input] = (int16_t)(n->left[input] - 1);
            if (!n->left[input]) {
                nn_give_back(n, arena, input);
            }
        }
    }
    if (!n->left[blob]) {
        nn_give_back(n, arena, blob);
    }
}

static int run_layer(const nn_inference *n, nn_arena *arena, nn_state *call, const int32_t *layer) {
    target t;
    const int32_t flags = layer[L_FLAGS];
    if (flags & ~(SHARE | IN_PLACE | OVER) || layer[L_WORKSPACE]) {
        return NN_CANNOT;
    }
    NN_TRY(prepare(n, arena, layer, call));
    if (!(flags & SHARE) && call->kernel < 0) {
        return NN_CANNOT;
    }
    NN_TRY(find_target(n, arena, call, flags, &t));
    if (!(flags & SHARE)) {
        const int64_t at = (int64_t)(t.shared >= 0 ? nn_block(arena, t.shared)[NN_BLOCK_OFFSET] : t.room.place.offset)
            + nn_view_offset(n, call->blobs[call->n_in]);
        call->out_offset = at < 0 || at > INT32_MAX ? -1 : (int32_t)at;
        const int32_t *r = nn_blob_record(n, call->blobs[call->n_in]);
        call->over = (flags & OVER) != 0;
        // Over its input anything goes row after row; float32 so in one channel after the other, as its kernel knows.
        const int32_t rows = call->over && (r[B_TYPE] & 0xFF) != NN_F32 ? 1 : r[B_H];
        call->y0 = 0;
        do {
            call->y1 = rows < r[B_H] ? call->y0 + rows : r[B_H];
            NN_TRY(nn_output(call));
            NN_TRY(nn_dispatch(call));
            call->y0 = call->y1;
        } while (call->y0 < r[B_H]);
    }
    settle(n, arena, call, &t);
    return NN_OK;
}

int32_t nn_run(const nn_inference *n, int32_t first, int32_t stop, int mark, int32_t budget, int (*is_wanted)(void),
    int *reason) {
    nn_arena arena;
    if (!nn_is_sound(n) || first < 0 || stop >= n->at[NN_AT_N_LAYERS]
        || !nn_arena_of(n->table, n->table_words, n->arena_bytes, &arena)) {
        return NN_RUN_BROKEN;
    }
    const nn_buffer buffers[2] = {{n->arena, (size_t)arena.size, 1}, {(void *)(uintptr_t)n->model, n->model_bytes, 0}};
    nn_state call;
    call.buffers = buffers;
    call.n_buffers = 2;
    call.operands = NULL;
    call.reduces = 0;
    call.places = NULL;
    call.inference = n;
    int32_t layer = first;
    int is_there_more = 0;
    for (; layer <= stop; layer++) {
        if ((n->marks[layer] & (mark | DONE)) != mark) {
            continue;
        }
        if (budget <= 0 || (is_there_more && is_wanted && is_wanted())) {
            return layer;
        }
        budget--;
        is_there_more = 1;
        call.known = layer < n->n_first_marks ? &n->first_marks[layer] : NULL;
        int error = run_layer(n, &arena, &call,
            nn_words(n) + n->at[NN_AT_LAYERS] + (ptrdiff_t)layer * LAYER_WORDS);
        if (error) {
            if (reason) {
                *reason = error;
            }
            return -1 - layer;
        }
        n->marks[layer] = DONE | COUNTED;
        if (call.known) {
            *call.known |= NN_PROVEN;
        }
    }
    return layer;
}
