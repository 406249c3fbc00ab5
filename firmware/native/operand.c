// The proof that an operand's elements lie inside its memory, and that inside its buffer.

#include "inference.h"
#include "kernel.h"

const uint8_t nn_item_bytes[NN_DTYPES] = {0, 4, 1, 1, 2, 4}; // powers of two: small cores need many instructions to divide

// Sizes and offsets stay below it, in the model file too.
#define LIMIT (1 << 30)

static int axis_fits(int32_t count, int32_t step, int32_t item) {
    return count > 0 && count < LIMIT && step > 0 && step < LIMIT && (step & (item - 1)) == 0;
}

NN_SELDOM static int resolve(const nn_state *call, const int32_t *w, nn_operand *x) {
    int32_t dtype = w[NN_O_DTYPE];
    if (dtype <= 0 || dtype >= NN_DTYPES) {
        return NN_BAD_TYPE;
    }
    int32_t item = nn_item_bytes[dtype];
    int32_t number = w[NN_O_BUFFER], offset = w[NN_O_OFFSET], bytes = w[NN_O_BYTES];
    if (number < 0 || number >= call->n_buffers || offset < 0 || bytes <= 0) {
        return NN_BAD_BUFFER;
    }
    const nn_buffer *buffer = &call->buffers[number];
    if (!buffer->base || (size_t)offset > buffer->size || (size_t)bytes > buffer->size - (size_t)offset) {
        return NN_BAD_BUFFER;
    }
    x->data = (uint8_t *)buffer->base + offset;
    // Cores without unaligned access would stop here.
    if ((uintptr_t)x->data & (uintptr_t)(item - 1)) {
        return NN_BAD_OPERAND;
    }
    x->c = w[NN_O_C];
    x->h = w[NN_O_H];
    x->w = w[NN_O_W];
    x->cs = w[NN_O_CSTEP];
    x->rs = w[NN_O_RSTEP];
    x->ps = w[NN_O_PSTEP];
    x->rows = w[NN_O_ROWS];
    x->phase = w[NN_O_PHASE];
    x->dtype = dtype;
    x->bytes = bytes;
    if (!axis_fits(x->c, x->cs, item) || !axis_fits(x->h, x->rs, item) || !axis_fits(x->w, x->ps, item)
        || x->rows < 1 || x->rows > x->h || x->phase < 0 || x->phase >= (x->rows == x->h ? 1 : x->rows)) {
        return NN_BAD_OPERAND;
    }
    int64_t last = (int64_t)(x->c - 1) * x->cs + (int64_t)(x->rows - 1) * x->rs + (int64_t)(x->w - 1) * x->ps;
    if (last + item > bytes) {
        return NN_BAD_OPERAND;
    }
    // Elements that lie over each other could be more than the memory holds: then work would have no bound. Each factor
    // is at most the operand's bytes, so two of them fit. (And so does the count of a ring's elements: c * w is below
    // 2^31, h below 2^30.)
    if ((int64_t)x->c * x->rows > bytes || (int64_t)x->c * x->rows * x->w > bytes >> (item >> 1)) {
        return NN_BAD_OPERAND;
    }
    return NN_OK;
}

// A blob of a layer whose operands have all been found right before: only where it lies may be new.
static int known_blob(const nn_state *call, int32_t i, nn_operand *x) {
    const nn_inference *n = call->inference;
    const int32_t blob = call->blobs[i];
    const int32_t *r = nn_blob_record(n, blob);
    const size_t size = n->arena_bytes;
    size_t offset; // one that is negative is a large number
    if (call->places) {
        const int32_t *place = call->places + (ptrdiff_t)blob * NN_PLACE_WORDS;
        offset = (size_t)call->base + (uint32_t)place[0];
        x->rows = place[1];
        x->phase = place[2];
    } else {
        offset = (size_t)(i == call->n_in ? call->out_offset : nn_blob_offset(n, blob));
        x->rows = r[B_ROWS];
        x->phase = 0;
    }
    x->c = r[B_C];
    x->h = r[B_H];
    x->w = r[B_W];
    x->cs = r[B_CSTEP];
    x->rs = r[B_RSTEP];
    x->ps = r[B_PSTEP];
    x->dtype = r[B_TYPE] & 0xFF;
    x->bytes = x->rows < x->h ? x->rows * x->rs : r[B_BYTES];
    x->data = (uint8_t *)n->arena + offset;
    return offset > size || (size_t)x->bytes > size - offset || (uintptr_t)x->data & (nn_item_bytes[x->dtype] - 1u) ? NN_BAD_BUFFER
        : NN_OK;
}

static int describe(const nn_state *call, int32_t i, nn_operand *x) {
    if (nn_is_proven(call) && call->blobs[i] < call->inference->at[NN_AT_N_BLOBS]) {
        return known_blob(call, i, x);
    }
    if (call->operands) {
        return resolve(call, call->operands + (ptrdiff_t)i * NN_OPERAND_WORDS, x);
    }
    int32_t words[NN_OPERAND_WORDS];
    NN_TRY(nn_model_operand(call, i, words));
    return resolve(call, words, x);
}

int nn_output(nn_state *call) {
    nn_operand *out = &call->out;
    NN_TRY(describe(call, call->n_in, out));
    if (call->operands) {
        int32_t number = call->operands[(ptrdiff_t)call->n_in * NN_OPERAND_WORDS + NN_O_BUFFER];
        if (!call->buffers[number].writable) {
            return NN_BAD_BUFFER;
        }
    }
    if (call->y0 < 0 || call->y0 >= call->y1) {
        return NN_BAD_ROWS;
    }
    if (call->reduces ? out->rows != out->h : call->y1 > out->h || call->y1 - call->y0 > out->rows) {
        return NN_BAD_ROWS;
    }
    return NN_OK;
}

static int overlap(const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
    return (uintptr_t)a < (uintptr_t)b + b_bytes && (uintptr_t)b < (uintptr_t)a + a_bytes;
}

// Whether two operands whose memory overlaps lie beside each other in every pixel of a third one.
NN_SELDOM static int are_interleaved(const nn_operand *a, const nn_operand *b) {
    const uint32_t pixel = (uint32_t)a->ps;
    if (a->ps != b->ps || (uint32_t)a->rs % pixel || (uint32_t)b->rs % pixel || a->rows != a->h || b->rows != b->h) {
        return 0;
    }
    const int64_t a_span = (int64_t)(a->c - 1) * a->cs + nn_item_bytes[a->dtype];
    const int64_t b_span = (int64_t)(b->c - 1) * b->cs + nn_item_bytes[b->dtype];
    const uint32_t a_first = (uint32_t)((uintptr_t)a->data % pixel), b_first = (uint32_t)((uintptr_t)b->data % pixel);
    const uint32_t between = (b_first + pixel - a_first) % pixel; // from a's channels up to b's
    return a_span <= between && b_span <= (int64_t)pixel - between;
}

static int lies_alike(const nn_operand *a, const nn_operand *b) {
    return a->data == b->data && nn_same_shape(a, b) && a->cs == b->cs && a->rs == b->rs && a->ps == b->ps
        && a->rows == b->rows && a->phase == b->phase && a->dtype == b->dtype;
}

int nn_input(const nn_state *call, int32_t i, int dtype, int in_place, nn_operand *x) {
    NN_TRY(describe(call, i, x));
    const nn_operand *out = &call->out;
    if (x->dtype != (dtype ? dtype : out->dtype)) {
        return NN_BAD_TYPE;
    }
    // In a streamed frame they may lie over each other, where the rows that are in use do not: the plan has to be right.
    if (!call->places && !(call->over && i == 0) && overlap(x->data, (size_t)x->bytes, out->data, (size_t)out->bytes)
        && !(in_place && lies_alike(x, out)) && !are_interleaved(x, out)) {
        return NN_BAD_OVERLAP;
    }
    return NN_OK;
}

// A constant that has been found right before: its place alone may be another one now, in a window.
static int known_constant(const nn_state *call, int32_t blob, const void **data) {
    const int32_t *r = nn_blob_record(call->inference, blob);
    const size_t size = call->inference->model_bytes, weights = (size_t)call->inference->at[NN_AT_WEIGHTS];
    // A place that is negative is a large number, and a sum cannot wrap: both are below 2^31.
    const size_t place = (uint32_t)r[B_PLACE] & INT32_MAX, bytes = (uint32_t)r[B_BYTES] & INT32_MAX;
    if (weights > size || place > size - weights || bytes > size - weights - place) {
        return NN_BAD_BUFFER;
    }
    *data = (const uint8_t *)call->inference->model + weights + place;
    return NN_OK;
}

int nn_part(const nn_state *call, int32_t i, int axis, int32_t start, nn_operand *x, int *is_there) {
    const nn_operand *out = &call->out;
    NN_TRY(describe(call, i, x));
    const int64_t at = (int64_t)start * (axis == 0 ? out->cs : axis == 1 ? out->rs : out->ps);
    *is_there = !call->places && x->dtype == out->dtype && x->rows == x->h && out->rows == out->h
        && (int64_t)((uintptr_t)x->data - (uintptr_t)out->data) == at && (x->c == 1 || x->cs == out->cs)
        && (x->h == 1 || x->rs == out->rs) && (x->w == 1 || x->ps == out->ps);
    return *is_there ? NN_OK : nn_input(call, i, 0, 0, x);
}

int nn_constant(const nn_state *call, int32_t i, int dtype, int64_t count, const void **data) {
    nn_operand x;
    if (nn_is_proven(call) && call->blobs[i] >= call->inference->at[NN_AT_N_BLOBS]) {
        return known_constant(call, call->blobs[i], data);
    }
    NN_TRY(nn_input(call, i, dtype, 0, &x));
    int32_t item = nn_item_bytes[x.dtype];
    int dense = x.rows == x.h && x.ps == item && (x.h == 1 || x.rs == (int64_t)x.w * item)
        && (x.c == 1 || x.cs == (int64_t)x.h * x.w * item);
    if (!dense || nn_count(&x) != count) {
        return NN_BAD_CONSTANT;
    }
    *data = x.data;
    return NN_OK;
}

// Whether memory that the kernel writes besides its output lies over no input but `mine`, and not over the parameters.
NN_SELDOM static int is_apart(const nn_state *call, const void *data, size_t bytes, int32_t mine) {
    nn_operand x;
    for (int32_t i = 0; i < call->n_in; i++) {
        if (i != mine && (describe(call, i, &x) || overlap(data, bytes, x.data, (size_t)x.bytes))) {
            return 0;
        }
    }
    return !overlap(data, bytes, call->params, 4 * (size_t)call->n_params);
}

NN_SELDOM int nn_kept(const nn_state *call, int32_t i, int dtype, int32_t *count, void **data) {
    nn_operand kept;
    const void *elements;
    int32_t words[NN_OPERAND_WORDS];
    NN_TRY(nn_input(call, i, dtype, 0, &kept));
    NN_TRY(nn_constant(call, i, dtype, kept.w, &elements));
    if (call->operands) {
        words[NN_O_BUFFER] = call->operands[(ptrdiff_t)i * NN_OPERAND_WORDS + NN_O_BUFFER];
    } else {
        NN_TRY(nn_model_operand(call, i, words));
    }
    if (!call->buffers[words[NN_O_BUFFER]].writable) {
        return NN_BAD_BUFFER;
    }
    if (!is_apart(call, kept.data, (size_t)kept.bytes, i)) {
        return NN_BAD_OVERLAP;
    }
    *count = kept.w;
    *data = kept.data;
    return NN_OK;
}

NN_SELDOM int nn_reduction_of(const nn_state *call, const nn_operand *x, int64_t count, nn_reduction *reduction) {
    reduction->words = NULL;
    reduction->begins = reduction->ends = 1;
    if (!call->reduces) {
        return NN_OK;
    }
    const int32_t number = call->workspace, offset = call->workspace_offset, bytes = call->workspace_bytes;
    if (call->y1 > x->h || call->y1 - call->y0 > x->rows) {
        return NN_BAD_ROWS;
    }
    if (number < 0 || number >= call->n_buffers || offset < 0 || offset % 16 || bytes / 4 < count) {
        return NN_BAD_WORKSPACE;
    }
    const nn_buffer *buffer = &call->buffers[number];
    if (!buffer->base || !buffer->writable || (size_t)offset > buffer->size
        || (size_t)bytes > buffer->size - (size_t)offset) {
        return NN_BAD_WORKSPACE;
    }
    uint8_t *words = (uint8_t *)buffer->base + offset;
    if ((uintptr_t)words % 4) {
        return NN_BAD_WORKSPACE;
    }
    if (!call->places && (overlap(words, (size_t)bytes, call->out.data, (size_t)call->out.bytes)
        || !is_apart(call, words, (size_t)bytes, -1))) {
        return NN_BAD_WORKSPACE;
    }
    reduction->words = words;
    reduction->begins = call->y0 == 0;
    reduction->ends = call->y1 == x->h;
    return NN_OK;
}

NN_SELDOM int nn_whole(const nn_state *call, const nn_operand *x) {
    const nn_operand *out = &call->out;
    if (call->y0 != 0 || call->y1 != out->h || out->rows != out->h || x->rows != x->h) {
        return NN_BAD_ROWS;
    }
    return NN_OK;
}

int nn_same_shape(const nn_operand *a, const nn_operand *b) {
    return a->c == b->c && a->h == b->h && a->w == b->w;
}

int nn_broadcasts(const nn_operand *x, const nn_operand *out) {
    return (x->c == out->c || x->c == 1) && (x->h == out->h || x->h == 1) && (x->w == out->w || x->w == 1);
}

uint8_t *nn_at(const nn_operand *x, int32_t c, int32_t y) {
    // Products fit: the last element lies inside the operand.
    return x->data + (ptrdiff_t)c * x->cs + (ptrdiff_t)nn_row(x, y) * x->rs;
}
