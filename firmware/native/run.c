// The loop over the layers: what `Extractor._run` of nnmicro/extractor.py does, over the same arrays, so that Python and
// this may take turns layer by layer. A layer is carried out before anything is noted down, so one that fails leaves no trace.

#include "arena.h"
#include "kernel.h"

// nnmicro/format.py
enum { BLOB_WORDS = 16, B_TYPE = 0, B_BYTES = 2, B_C = 3, B_ROWS = 9, B_PLACE = 10 };
enum { LAYER_WORDS = 12, L_OP = 0, L_FLAGS, L_OPERANDS, L_INPUTS, L_OUTPUTS, L_PARAMS, L_PARAM_COUNT, L_WORKSPACE = 8 };
enum { SHARE = 1, IN_PLACE = 2 };

// nnmicro/extractor.py
enum { DONE = 1, COUNTED = 2 };

// Whether `count` records of `size` words from word `first` on lie inside the model.
static int inside(const nn_inference *n, int64_t first, int64_t count, int64_t size) {
    return first >= 0 && count >= 0 && first + count * size <= (int64_t)(n->model_bytes / 4);
}

static int is_sound(const nn_inference *n) {
    const int32_t *at = n->at;
    return (uintptr_t)n->model % 4 == 0 && n->model_bytes < (size_t)1 << 30
        && inside(n, at[NN_AT_BLOBS], at[NN_AT_N_RECORDS], BLOB_WORDS)
        && inside(n, at[NN_AT_LAYERS], at[NN_AT_N_LAYERS], LAYER_WORDS)
        && inside(n, at[NN_AT_OPERANDS], 0, 1) && inside(n, at[NN_AT_PARAMS], 0, 1) && at[NN_AT_WEIGHTS] >= 0
        && at[NN_AT_N_BLOBS] >= 0 && at[NN_AT_N_BLOBS] <= at[NN_AT_N_RECORDS] && at[NN_AT_N_BLOBS] <= n->n_slots
        && at[NN_AT_N_BLOBS] <= n->n_left && at[NN_AT_N_LAYERS] <= n->n_marks;
}

static const int32_t *words_of(const nn_inference *n) {
    return (const int32_t *)n->model;
}

static const int32_t *blob_record(const nn_inference *n, int32_t blob) {
    return words_of(n) + n->at[NN_AT_BLOBS] + (ptrdiff_t)blob * BLOB_WORDS;
}

int nn_model_operand(const nn_state *call, int32_t i, int32_t *words) {
    const nn_inference *n = call->inference;
    const int32_t blob = call->blobs[i]; // one of the model's: `prepare` has looked
    const int32_t *r = blob_record(n, blob);
    int64_t offset;
    if (blob >= n->at[NN_AT_N_BLOBS]) {
        words[NN_O_BUFFER] = NN_BUFFER_MODEL;
        offset = (int64_t)n->at[NN_AT_WEIGHTS] + r[B_PLACE];
    } else {
        words[NN_O_BUFFER] = NN_BUFFER_ARENA;
        offset = i == call->n_in ? call->out_offset : n->table[5 + 4 * n->slots[blob]];
    }
    words[NN_O_OFFSET] = offset < 0 || offset > INT32_MAX ? -1 : (int32_t)offset;
    for (int k = 0; k < 6; k++) {
        words[NN_O_C + k] = r[B_C + k];
    }
    words[NN_O_ROWS] = r[B_ROWS];
    words[NN_O_DTYPE] = r[B_TYPE] & 0xFF;
    words[NN_O_BYTES] = r[B_BYTES];
    words[NN_O_RESERVED] = 0;
    return NN_OK;
}

// Fill in a layer's call and look that all it names is there.
static int prepare(const nn_inference *n, const nn_arena *arena, const int32_t *layer, nn_state *call) {
    const int64_t n_in = layer[L_INPUTS];
    if (n_in < 1 || layer[L_OUTPUTS] != 1) {
        return NN_CANNOT;
    }
    if (layer[L_OPERANDS] < 0 || !inside(n, (int64_t)n->at[NN_AT_OPERANDS] + layer[L_OPERANDS], n_in + 1, 1)
        || layer[L_PARAMS] < 0 || !inside(n, (int64_t)n->at[NN_AT_PARAMS] + layer[L_PARAMS], layer[L_PARAM_COUNT], 1)
        || layer[L_OP] < 0 || layer[L_OP] >= n->n_kernels) {
        return NN_BAD_MODEL;
    }
    call->n_in = layer[L_INPUTS];
    call->blobs = words_of(n) + n->at[NN_AT_OPERANDS] + layer[L_OPERANDS];
    call->n_params = layer[L_PARAM_COUNT];
    call->params = words_of(n) + n->at[NN_AT_PARAMS] + layer[L_PARAMS];
    call->kernel = n->kernels[layer[L_OP]];
    for (int32_t i = 0; i <= call->n_in; i++) {
        const int32_t blob = call->blobs[i];
        if (blob < 0 || blob >= n->at[i < call->n_in ? NN_AT_N_RECORDS : NN_AT_N_BLOBS]) {
            return NN_BAD_MODEL;
        }
        if (i < call->n_in && blob < n->at[NN_AT_N_BLOBS] && !nn_arena_is_live(arena, n->slots[blob])) {
            return NN_BAD_MODEL;
        }
    }
    return NN_OK;
}

// Where a layer's output goes: the block of its first input, or a new one.
typedef struct {
    int32_t shared; // that block, or -1
    nn_placement place;
    int32_t base; // of the frame, if it had to be found
    int is_hit; // the new block lies where it was planned
} target;

static int find_target(const nn_inference *n, const nn_arena *arena, const nn_state *call, int32_t flags, target *t) {
    const int32_t source = call->blobs[0], blob = call->blobs[call->n_in];
    const int is_blob = source < n->at[NN_AT_N_BLOBS];
    const int lightmode = n->state[NN_STATE_LIGHTMODE] != 0;
    const int32_t block = is_blob ? n->slots[source] : -1;
    if (flags && !is_blob) {
        return NN_BAD_MODEL;
    }
    t->base = n->state[NN_STATE_BASE];
    if (flags & SHARE
        || (flags & IN_PLACE && lightmode && n->left[source] == 1 && nn_arena_references(arena, block) == 1)) {
        t->shared = block;
        return NN_OK;
    }
    t->shared = -1;
    // At the end of the arena that the first input is not at.
    int high = 1;
    if (is_blob) {
        const int64_t at = nn_arena_offset(arena, block);
        high = at <= arena->size - at - nn_arena_bytes(arena, block);
    }
    const int32_t *r = blob_record(n, blob);
    int64_t hint = -1;
    if (lightmode && r[B_PLACE] >= 0) {
        if (t->base < 0) {
            t->base = nn_arena_gap(arena, n->state[NN_STATE_FRAME]);
        }
        hint = (int64_t)t->base + r[B_PLACE];
    }
    if (!nn_arena_place(arena, r[B_BYTES], hint, high, &t->place)) {
        return NN_CANNOT; // Python raises ArenaFull, and says who holds what
    }
    t->is_hit = t->place.offset == hint;
    return NN_OK;
}

static void give_back(const nn_inference *n, nn_arena *arena, int32_t blob) {
    // Not where a damaged count has given it back before.
    if (nn_arena_is_live(arena, n->slots[blob])) {
        nn_arena_release(arena, n->slots[blob]);
        n->slots[blob] = -1;
    }
}

// Note down that a layer has run: its output is there, its inputs have one reader less.
static void settle(const nn_inference *n, nn_arena *arena, const nn_state *call, const target *t) {
    const int32_t blob = call->blobs[call->n_in];
    if (t->shared >= 0) {
        nn_arena_retain(arena, t->shared);
        n->slots[blob] = (int16_t)t->shared;
    } else {
        n->slots[blob] = (int16_t)nn_arena_take(arena, &t->place);
        n->state[NN_STATE_BASE] = t->base;
        int32_t *count = &n->state[t->is_hit ? NN_STATE_HITS : NN_STATE_MISSES];
        *count = (int32_t)((uint32_t)*count + 1);
    }
    if (!n->state[NN_STATE_LIGHTMODE]) {
        return;
    }
    for (int32_t i = 0; i < call->n_in; i++) {
        const int32_t input = call->blobs[i];
        if (input < n->at[NN_AT_N_BLOBS]) {
            n->left[input] = (int16_t)(n->left[input] - 1);
            if (!n->left[input]) {
                give_back(n, arena, input);
            }
        }
    }
    if (!n->left[blob]) {
        give_back(n, arena, blob);
    }
}

static int run_layer(const nn_inference *n, nn_arena *arena, nn_state *call, const int32_t *layer) {
    target t;
    const int32_t flags = layer[L_FLAGS];
    if (flags & ~(SHARE | IN_PLACE) || layer[L_WORKSPACE]) {
        return NN_CANNOT;
    }
    NN_TRY(prepare(n, arena, layer, call));
    if (!(flags & SHARE) && call->kernel < 0) {
        return NN_CANNOT;
    }
    NN_TRY(find_target(n, arena, call, flags, &t));
    if (!(flags & SHARE)) {
        call->out_offset = t.shared >= 0 ? nn_arena_offset(arena, t.shared) : t.place.offset;
        call->y0 = 0;
        call->y1 = blob_record(n, call->blobs[call->n_in])[B_C + 1];
        NN_TRY(nn_output(call));
        NN_TRY(nn_dispatch(call));
    }
    settle(n, arena, call, &t);
    return NN_OK;
}

int32_t nn_run(const nn_inference *n, int32_t first, int32_t stop, int mark, int32_t budget, int *reason) {
    nn_arena arena;
    if (!is_sound(n) || first < 0 || stop >= n->at[NN_AT_N_LAYERS]
        || !nn_arena_of(n->table, n->table_words, n->arena_bytes, &arena)) {
        return NN_RUN_BROKEN;
    }
    const nn_buffer buffers[2] = {{n->arena, (size_t)arena.size, 1}, {(void *)(uintptr_t)n->model, n->model_bytes, 0}};
    nn_state call;
    call.buffers = buffers;
    call.n_buffers = 2;
    call.operands = NULL;
    call.inference = n;
    int32_t layer = first;
    for (; layer <= stop; layer++) {
        if ((n->marks[layer] & (mark | DONE)) != mark) {
            continue;
        }
        if (budget <= 0) {
            return layer;
        }
        budget--;
        int error = run_layer(n, &arena, &call,
            words_of(n) + n->at[NN_AT_LAYERS] + (ptrdiff_t)layer * LAYER_WORDS);
        if (error) {
            if (reason) {
                *reason = error;
            }
            return -1 - layer;
        }
        n->marks[layer] = DONE | COUNTED;
    }
    return layer;
}
