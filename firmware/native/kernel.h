// What a kernel sees of a call: checked operands, parameters, rows.

#ifndef NN_KERNEL_H
#define NN_KERNEL_H

// What makes code longer where it is compiled for size.
#if defined(__OPTIMIZE_SIZE__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-thread-jumps", "no-tree-dominator-opts", "no-schedule-insns2")
#endif

#include "nn.h"
#include "params.h"

#define NN_INLINE static inline __attribute__((always_inline))
#define NN_NOINLINE static __attribute__((noinline)) // for its stack, or for the registers of its loop
#define NN_SELDOM __attribute__((cold)) // for size also in NN_FAST, and so is the way to it: never for what is always called

// c x h x w elements; element (c, y, x) lies at data + c * cs + (y + phase) mod rows * rs + x * ps. Steps are in bytes.
typedef struct {
    uint8_t *data;
    int32_t c, h, w;
    int32_t cs, rs, ps;
    int32_t rows, phase;
    int32_t dtype;
    int32_t bytes;
} nn_operand;

typedef struct {
    const nn_buffer *buffers;
    int n_buffers;
    const int32_t *operands; // of a record, or null: then they are blobs of a model
    const nn_inference *inference;
    const int32_t *blobs; // the layer's operands
    int32_t out_offset; // in the arena: where the output is to lie
    const int32_t *places; // of blobs in a streamed model's frame, or null
    int32_t base; // of that frame
    uint8_t *known; // the byte of the layer that has NN_PROVEN and NN_QUICK where an earlier call has found them out; or null
    const int32_t *params;
    int32_t n_params;
    int32_t n_in;
    int32_t y0, y1;
    int reduces; // then the rows are input 0's
    int over; // the output is written over input 0, in which it lies some bytes before
    int32_t workspace, workspace_offset, workspace_bytes; // read where it reduces
    int kernel;
    nn_operand out; // every kernel has one output
} nn_state;

// All operands are what the kernel takes; all channels are quick (requantise.h). Beside the marks of a layer in its byte.
enum { NN_PROVEN = 64, NN_QUICK = 128 };

NN_INLINE int nn_is_proven(const nn_state *call) {
    return call->known && *call->known & NN_PROVEN;
}

extern const uint8_t nn_item_bytes[NN_DTYPES];

// Check the output and the rows; kernels come after it.
int nn_output(nn_state *call);

// Input `i`, checked: type (0: the output's), sizes, steps, bounds, no overlap with the output, unless it is the one that
// the output is written over. With `in_place`, the output may lie exactly where the input lies.
int nn_input(const nn_state *call, int32_t i, int dtype, int in_place, nn_operand *x);

// The same for what lies in the output from `start` on along an axis (0 c, 1 h, 2 w) once the layer has run: it may lie
// there already, *is_there says so.
int nn_part(const nn_state *call, int32_t i, int axis, int32_t start, nn_operand *x, int *is_there);

// The elements of an input that is a run of `count` of them without gaps, or null.
int nn_constant(const nn_state *call, int32_t i, int dtype, int64_t count, const void **data);

// A row of elements without gaps that the kernel writes, too: an input kept from one inference to the next. It overlaps
// nothing else of the call.
int nn_kept(const nn_state *call, int32_t i, int dtype, int32_t *count, void **data);

// What a kernel that reduces keeps from call to call.
typedef struct {
    void *words; // in the workspace, may be anything; null: this call does all of the work
    int begins, ends;
} nn_reduction;

// Checked: the workspace for `count` words, and that x, which is input 0, holds the rows asked for.
int nn_reduction_of(const nn_state *call, const nn_operand *x, int64_t count, nn_reduction *reduction);

// The operand of a layer of a model as the words of a record.
int nn_model_operand(const nn_state *call, int32_t i, int32_t *words);

// Fill in a layer's call but for rows and places, and look that the model has all that it names.
int nn_layer_call(const nn_inference *n, const int32_t *layer, nn_state *call);

// Of a blob in a streamed model's frame: offset, bytes, rows and phase.
void nn_place_operand(const nn_state *call, int32_t blob, const int32_t *record, int32_t *words);

// Refuse to compute some rows only, or from rings.
int nn_whole(const nn_state *call, const nn_operand *x);

int nn_same_shape(const nn_operand *a, const nn_operand *b);

// Whether each of c, h and w of `x` is that of `out` or 1.
int nn_broadcasts(const nn_operand *x, const nn_operand *out);

int nn_dispatch(nn_state *call);

NN_INLINE int64_t nn_count(const nn_operand *x) {
    return (int64_t)x->c * x->h * x->w; // checked against the operand's bytes: cannot overflow
}

// Which of the rows held is row y.
NN_INLINE int32_t nn_row(const nn_operand *x, int32_t y) {
    return x->rows == x->h ? y : (y + x->phase) % x->rows;
}

// Element (c, y, 0).
uint8_t *nn_at(const nn_operand *x, int32_t c, int32_t y);

NN_INLINE int32_t nn_min(int32_t a, int32_t b) {
    return a < b ? a : b;
}

NN_INLINE int32_t nn_max(int32_t a, int32_t b) {
    return a > b ? a : b;
}

// A float parameter is the bits of a float32.
NN_INLINE float nn_float(int32_t word) {
    union {
        int32_t i;
        float f;
    } u;
    u.i = word;
    return u.f;
}

NN_INLINE int32_t nn_bits(float value) {
    union {
        int32_t i;
        float f;
    } u;
    u.f = value;
    return u.i;
}

// The taps of a window along one axis that lie inside x: taps [first, end), the first of which reads `start`.
typedef struct {
    int32_t start, first, end;
} nn_span;

// Whether positions along an axis can be worked out in 32 bits: what is beyond has no place in a board's memory.
int nn_window_fits(int32_t positions, int32_t stride, int32_t pad, int32_t kernel, int32_t dilation);

nn_span nn_taps(int32_t position, int32_t stride, int32_t pad, int32_t kernel, int32_t dilation, int32_t size);

// Those of the taps along h that read rows [y0, y1).
nn_span nn_taps_between(nn_span taps, int32_t dilation, int32_t y0, int32_t y1);

// Output positions [first, end) of an axis whose whole window lies inside x.
void nn_inside(int32_t out, int32_t stride, int32_t pad, int32_t kernel, int32_t dilation, int32_t size, int32_t *first,
    int32_t *end);

#define NN_TRY(expression)      \
    do {                        \
        int nn_e = (expression); \
        if (nn_e) {             \
            return nn_e;        \
        }                       \
    } while (0)

// Kernels: name in the model file, families it belongs to.
#define NN_KERNELS_FLOAT(X) \
    X(convolution)          \
    X(inner_product)        \
    X(pooling)              \
    X(activation)           \
    X(scale)                \
    X(binary_op)            \
    X(softmax)              \
    X(deconvolution)        \
    X(prelu)                \
    X(matmul)               \
    X(log_softmax)          \
    X(l2_normalize)         \
    X(svdf)                 \
    X(lstm)                 \
    X(unary)                \
    X(reduce)               \
    X(normalization)        \
    X(recurrent)            \
    X(compare)              \
    X(where)                \
    X(cumsum)               \
    X(top_k)

#define NN_KERNELS_MOVEMENT(X) \
    X(interp)                  \
    X(concat)                  \
    X(slice)                   \
    X(padding)                 \
    X(copy)                    \
    X(permute)                 \
    X(arg_max)                 \
    X(cast)                    \
    X(gather)

#define NN_KERNELS_INT8(X) \
    X(convolution_int8)    \
    X(depthwise_int8)      \
    X(inner_product_int8)  \
    X(pooling_int8)        \
    X(binary_int8)         \
    X(table_int8)          \
    X(softmax_int8)        \
    X(mean_int8)           \
    X(quantize)            \
    X(dequantize)          \
    X(deconvolution_int8)  \
    X(prelu_int8)          \
    X(interp_int8)         \
    X(matmul_int8)         \
    X(log_softmax_int8)    \
    X(l2_normalize_int8)   \
    X(svdf_int8)           \
    X(lstm_int8)

// Layers whose weights are packed for cores with the DSP extension: only such a core has them.
#define NN_KERNELS_INT8_DSP(X) \
    X(convolution_int8_dsp)    \
    X(inner_product_int8_dsp)

// Those that can be asked to reduce.
#define NN_REDUCTIONS_FLOAT(X) \
    X(inner_product)           \
    X(pooling)

#define NN_REDUCTIONS_INT8(X) \
    X(inner_product_int8)     \
    X(pooling_int8)           \
    X(mean_int8)

#define NN_DECLARE(name) int nn_##name(const nn_state *call);
NN_KERNELS_FLOAT(NN_DECLARE)
NN_KERNELS_MOVEMENT(NN_DECLARE)
NN_KERNELS_INT8(NN_DECLARE)
NN_KERNELS_INT8_DSP(NN_DECLARE)

#endif
