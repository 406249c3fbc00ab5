// The loop over the steps of a streamed model: what nnmicro/stepping.py does, over the same memory. The frame is one block of
// the arena, and blobs have places in it: nothing is taken or given back here. Places and rows come from the file, and may be
// anything as far as memory is concerned: the kernels look at every operand of every call.

#include "inference.h"
#include "kernel.h"

// nnmicro/format.py
enum { T_STEPS = 2, STEPS_HEADER_WORDS = 4, STATE_WORDS = 2, STEP_WORDS = 3 };

// The sum of two offsets, or -1 where there is none: kernels refuse that.
static int32_t sum_of(int64_t a, int64_t b) {
    return a < 0 || b < 0 || a + b > INT32_MAX ? -1 : (int32_t)(a + b);
}

void nn_place_operand(const nn_state *call, int32_t blob, const int32_t *r, int32_t *words) {
    const int32_t *place = call->places + (ptrdiff_t)blob * NN_PLACE_WORDS;
    words[NN_O_OFFSET] = sum_of(call->base, place[0]);
    words[NN_O_BYTES] = place[1] < r[B_H] ? sum_of((int64_t)place[1] * r[B_RSTEP], 0) : r[B_BYTES];
    words[NN_O_ROWS] = place[1];
    words[NN_O_PHASE] = place[2];
}

static int run_step(const nn_inference *n, nn_state *call, const int32_t *states, const int32_t *step, uint8_t *known,
    int32_t known_layers) {
    const int32_t layer = step[0];
    if (layer < 0 || layer >= n->at[NN_AT_N_LAYERS]) {
        return NN_CANNOT;
    }
    const int32_t *r = nn_words(n) + n->at[NN_AT_LAYERS] + (ptrdiff_t)layer * LAYER_WORDS;
    call->known = layer < known_layers ? known + layer : NULL;
    NN_TRY(nn_layer_call(n, r, call));
    if (r[L_FLAGS] & SHARE || call->kernel < 0) {
        return NN_CANNOT;
    }
    const int32_t *state = states + (ptrdiff_t)layer * STATE_WORDS;
    call->y0 = step[1];
    call->y1 = sum_of(step[1], step[2]);
    call->reduces = state[1] != 0;
    call->workspace = NN_BUFFER_ARENA;
    call->workspace_offset = sum_of(call->base, state[0]);
    call->workspace_bytes = state[1];
    NN_TRY(nn_output(call));
    NN_TRY(nn_dispatch(call));
    if (call->known) {
        *call->known |= NN_PROVEN;
    }
    return NN_OK;
}

// A step that takes rows of an input, as many of them as are given.
static int take_rows(const nn_inference *n, const nn_state *call, const int32_t *step, nn_given *given) {
    int32_t words[NN_OPERAND_WORDS];
    if (!given || step[0] != -1 - given->input || given->blob < 0 || given->blob >= n->at[NN_AT_N_BLOBS]) {
        return NN_CANNOT;
    }
    const int32_t *r = nn_blob_record(n, given->blob);
    const int32_t dtype = r[B_TYPE] & 0xFF, rows = call->places[(ptrdiff_t)given->blob * NN_PLACE_WORDS + 1];
    if (dtype <= 0 || dtype >= NN_DTYPES || rows < 1 || rows > r[B_H] || r[B_RSTEP] < 1) {
        return NN_BAD_OPERAND;
    }
    nn_place_operand(call, given->blob, r, words);
    const int32_t phase = words[NN_O_PHASE];
    const int64_t size = (int64_t)r[B_C] * r[B_W] * nn_item_bytes[dtype], end = (int64_t)step[1] + step[2];
    if (r[B_C] < 1 || r[B_W] < 1 || size > r[B_RSTEP] || phase < 0 || phase >= rows || words[NN_O_OFFSET] < 0
        || words[NN_O_OFFSET] + (int64_t)rows * r[B_RSTEP] > (int64_t)n->arena_bytes || given->next < 0 || end > r[B_H]) {
        return NN_BAD_OPERAND;
    }
    for (; given->next < end; given->next++) {
        if (given->bytes < (size_t)size) {
            return NN_CANNOT;
        }
        nn_copy_bytes((uint8_t *)n->arena + words[NN_O_OFFSET] + (ptrdiff_t)((given->next + phase) % rows) * r[B_RSTEP], given->rows,
            (size_t)size);
        given->rows += size;
        given->bytes -= (size_t)size;
    }
    return NN_OK;
}

int32_t nn_run_steps(const nn_inference *n, int32_t base, int32_t first, int32_t count, uint8_t *known, int32_t known_layers,
    nn_given *given, int *reason) {
    const int32_t *at = n->at;
    if (!nn_has_records(n) || base < 0 || at[NN_AT_STEPS] <= 0 || !nn_in_model(n, at[NN_AT_STEPS], 1, STEPS_HEADER_WORDS)) {
        return NN_RUN_BROKEN;
    }
    const int32_t *section = nn_words(n) + at[NN_AT_STEPS], steps = section[T_STEPS];
    // Each number of records is below 2^30, as the model is.
    const int64_t ahead = STEPS_HEADER_WORDS + (int64_t)at[NN_AT_N_BLOBS] * NN_PLACE_WORDS
        + (int64_t)at[NN_AT_N_LAYERS] * STATE_WORDS;
    if (first < 0 || steps < first || !nn_in_model(n, at[NN_AT_STEPS] + ahead, steps, STEP_WORDS)) {
        return NN_RUN_BROKEN;
    }
    const nn_buffer buffers[2] = {{n->arena, n->arena_bytes, 1}, {(void *)(uintptr_t)n->model, n->model_bytes, 0}};
    nn_state call;
    call.buffers = buffers;
    call.n_buffers = 2;
    call.operands = NULL;
    call.inference = n;
    call.base = base;
    call.over = 0;
    call.places = section + STEPS_HEADER_WORDS;
    const int32_t *states = call.places + (ptrdiff_t)at[NN_AT_N_BLOBS] * NN_PLACE_WORDS;
    int32_t step = first;
    for (; step < steps && step - first < count; step++) {
        const int32_t *words = section + ahead + (ptrdiff_t)step * STEP_WORDS;
        const int error = words[0] < 0 ? take_rows(n, &call, words, given)
            : run_step(n, &call, states, words, known, known_layers);
        if (error) {
            if (reason) {
                *reason = error;
            }
            break;
        }
    }
    return step;
}
