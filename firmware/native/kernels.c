// Names, numbers and the entry of the kernels.

#include "dsp.h"

#define NN_NUMBER(name) KERNEL_##name,
enum {
#if NN_FLOAT
    NN_KERNELS_FLOAT(NN_NUMBER)
#endif
    NN_KERNELS_MOVEMENT(NN_NUMBER)
#if NN_INT8
    NN_KERNELS_INT8(NN_NUMBER)
#if NN_DSP
    NN_KERNELS_INT8_DSP(NN_NUMBER)
#endif
#endif
    KERNELS
};

// One text, because an array of pointers would have to be relocated in a native module.
#define NN_TEXT(name) #name "\0"
static const char names[] =
#if NN_FLOAT
    NN_KERNELS_FLOAT(NN_TEXT)
#endif
    NN_KERNELS_MOVEMENT(NN_TEXT)
#if NN_INT8
    NN_KERNELS_INT8(NN_TEXT)
#if NN_DSP
    NN_KERNELS_INT8_DSP(NN_TEXT)
#endif
#endif
    ;

int nn_kernel(const char *name, size_t length) {
    const char *at = names;
    for (int kernel = 0; kernel < KERNELS; kernel++) {
        size_t i = 0;
        while (i < length && at[i] && at[i] == name[i]) {
            i++;
        }
        if (i == length && !at[i]) {
            return kernel;
        }
        while (*at++) {
        }
    }
    return -1;
}

#define NN_CASE(name)    \
    case KERNEL_##name:  \
        return nn_##name(call);

#define NN_IS_CASE(name)  \
    case KERNEL_##name: \
        return 1;

static int is_reduction(int kernel) {
    switch (kernel) {
#if NN_FLOAT
        NN_REDUCTIONS_FLOAT(NN_IS_CASE)
#endif
#if NN_INT8
        NN_REDUCTIONS_INT8(NN_IS_CASE)
#endif
    }
    return 0;
}

int nn_dispatch(nn_state *call) {
    if (call->reduces && !is_reduction(call->kernel)) {
        return NN_BAD_RECORD;
    }
    switch (call->kernel) {
#if NN_FLOAT
        NN_KERNELS_FLOAT(NN_CASE)
#endif
        NN_KERNELS_MOVEMENT(NN_CASE)
#if NN_INT8
        NN_KERNELS_INT8(NN_CASE)
#if NN_DSP
        NN_KERNELS_INT8_DSP(NN_CASE)
#endif
#endif
    }
    return NN_BAD_KERNEL;
}

int nn_call(const nn_buffer *buffers, int n_buffers, const int32_t *record, int words) {
    if (words < NN_RECORD_WORDS) {
        return NN_BAD_RECORD;
    }
    int32_t n_in = record[NN_N_IN], n_params = record[NN_N_PARAMS], params = record[NN_PARAMS];
    if (n_in < 0 || n_in >= 1 << 16 || record[NN_N_OUT] != 1 || (record[NN_REDUCES] & ~1) || record[NN_RESERVED]
        || words != NN_RECORD_WORDS + (n_in + 1) * NN_OPERAND_WORDS) {
        return NN_BAD_RECORD;
    }
    nn_state call;
    call.buffers = buffers;
    call.n_buffers = n_buffers;
    call.operands = record + NN_RECORD_WORDS;
    call.places = NULL;
    call.over = 0;
    call.known = NULL;
    call.params = NULL;
    call.kernel = record[NN_KERNEL];
    call.n_in = n_in;
    call.n_params = n_params;
    call.y0 = record[NN_Y0];
    call.y1 = record[NN_Y1];
    call.reduces = record[NN_REDUCES];
    call.workspace = record[NN_WORKSPACE];
    call.workspace_offset = record[NN_WORKSPACE_OFFSET];
    call.workspace_bytes = record[NN_WORKSPACE_BYTES];
    if (n_params) {
        if (n_params < 0 || params < 0 || params % 4 || n_buffers <= NN_BUFFER_MODEL) {
            return NN_BAD_PARAMS;
        }
        const nn_buffer *model = &buffers[NN_BUFFER_MODEL];
        if (!model->base || (size_t)params > model->size || (model->size - (size_t)params) / 4 < (size_t)n_params) {
            return NN_BAD_PARAMS;
        }
        call.params = (const int32_t *)(const void *)((const uint8_t *)model->base + params);
        if ((uintptr_t)call.params % 4) {
            return NN_BAD_PARAMS;
        }
    }
    NN_TRY(nn_output(&call));
    // A kernel reads its parameters until it returns.
    if (call.params) {
        uintptr_t a = (uintptr_t)call.params, b = (uintptr_t)call.out.data;
        if (a < b + (uintptr_t)call.out.bytes && b < a + 4 * (uintptr_t)n_params) {
            return NN_BAD_OVERLAP;
        }
    }
    return nn_dispatch(&call);
}

// Again one text: the sentence of error -1, of -2, and so on.
static const char texts[] =
    "a call record has 12 words, 12 more for each operand, one output, 0 where it is reserved, and reduces only where its "
    "kernel does\0"
    "the record's kernel is not in this build\0"
    "an operand lies outside its buffer, or an output in one that cannot be written\0"
    "an operand's sizes, steps or rows do not fit its memory\0"
    "an operand has another element type than the kernel takes\0"
    "the kernel takes another number of inputs\0"
    "the shapes of inputs, output and parameters do not fit together\0"
    "a parameter is missing or outside what the kernel takes\0"
    "the rows asked for are not there, or the kernel needs whole tensors\0"
    "the output overlaps an input\0"
    "a constant has another number of elements than shapes and parameters need, or gaps\0"
    "a constant's elements are outside what the kernel takes\0"
    "a record of the model or of the inference points outside its section\0"
    "the workspace is too small or not aligned, lies outside its buffer or over an operand, or cannot be written\0"
    "this layer has to be done in Python\0";

const char *nn_error_text(int error) {
    const char *at = texts;
    if (error >= 0 || error < NN_CANNOT) {
        return "no error";
    }
    while (++error) {
        while (*at++) {
        }
    }
    return at;
}
