// Kernels and the inference loop of nnmicro in C99. Nothing here knows of MicroPython.
//
// A call is a record of int32 words and a list of buffers; nothing else crosses. Every kernel proves, before it reads
// or writes an element, that all it will touch lies inside its operands, and those inside their buffers: a record may
// come from anywhere. No kernel allocates, and none keeps anything between calls.

#ifndef NN_H
#define NN_H

#include <stddef.h>
#include <stdint.h>

// Of the calls below. Counts up when one of them changes its meaning.
#define NN_ABI 5

// Families that are compiled in.
#ifndef NN_FLOAT
#define NN_FLOAT 1
#endif
#ifndef NN_INT8
#define NN_INT8 1
#endif

enum { NN_F32 = 1, NN_I8, NN_U8, NN_I16, NN_I32, NN_DTYPES };

typedef struct {
    void *base;
    size_t size;
    int writable;
} nn_buffer;

enum { NN_BUFFER_ARENA, NN_BUFFER_MODEL, NN_BUFFER_WORKSPACE, NN_BUFFER_WEIGHTS };

// The call record: these words, then NN_OPERAND_WORDS for each input, then for the output.
enum {
    NN_KERNEL,
    NN_N_IN,
    NN_N_OUT,
    NN_Y0, // output rows [Y0, Y1); where it reduces, rows of input 0
    NN_Y1,
    NN_PARAMS, // byte offset in the model's buffer, a multiple of 4
    NN_N_PARAMS,
    NN_WORKSPACE, // a buffer's number; read where it reduces
    NN_WORKSPACE_OFFSET, // a multiple of 16
    NN_WORKSPACE_BYTES,
    NN_REDUCES, // 0, or 1: one step of a reduction over rows
    NN_RESERVED,
    NN_RECORD_WORDS
};

// A reduction over rows takes its input some rows a call, each row once, from the first on, and keeps sums (or the largest
// so far) in the workspace: a word for each element of the output. The call with Y0 = 0 begins, and overwrites what the
// workspace holds; the one with Y1 = the input's height writes the output, whole and not before. Input 0 may be a ring that
// holds the rows of one call. In between nobody else writes the workspace; what it holds may be anything, all the same.

enum {
    NN_O_BUFFER,
    NN_O_OFFSET, // bytes, as are the steps
    NN_O_C,
    NN_O_H,
    NN_O_W,
    NN_O_CSTEP,
    NN_O_RSTEP,
    NN_O_PSTEP,
    NN_O_ROWS, // rows held; row y lies at (y + PHASE) mod ROWS * RSTEP
    NN_O_DTYPE,
    NN_O_BYTES,
    NN_O_PHASE, // of a ring, else 0
    NN_OPERAND_WORDS
};

// What is wrong with a call; nn_error_text has the sentences.
enum {
    NN_OK = 0,
    NN_BAD_RECORD = -1,
    NN_BAD_KERNEL = -2,
    NN_BAD_BUFFER = -3,
    NN_BAD_OPERAND = -4,
    NN_BAD_TYPE = -5,
    NN_BAD_COUNT = -6,
    NN_BAD_SHAPE = -7,
    NN_BAD_PARAMS = -8,
    NN_BAD_ROWS = -9,
    NN_BAD_OVERLAP = -10,
    NN_BAD_CONSTANT = -11,
    NN_BAD_DATA = -12,
    NN_BAD_MODEL = -13,
    NN_BAD_WORKSPACE = -14,
    NN_CANNOT = -15 // the inference loop: this layer is Python's
};

const char *nn_error_text(int error);

// The number of a kernel in this build, or -1. Numbers are those of one build: never store them.
int nn_kernel(const char *name, size_t length);

// Carry out one record. Returns NN_OK, or an error and has changed nothing.
int nn_call(const nn_buffer *buffers, int n_buffers, const int32_t *record, int words);

// The state of one inference, as nnmicro/extractor.py keeps it: see begin.c and run.c.
typedef struct {
    const void *model;
    size_t model_bytes;
    const int32_t *at; // NN_AT_WORDS
    const int16_t *kernels; // for each kind of layer the kernel's number, or -1
    int n_kernels;
    void *arena;
    size_t arena_bytes;
    int32_t *table; // the arena's bookkeeping, see arena.c
    int table_words;
    int16_t *slots; // for each blob its block, or -1
    int n_slots;
    int16_t *left; // for each blob its readers to come
    int n_left;
    uint8_t *marks; // of each layer, then of each blob
    int n_marks;
    int32_t *state; // NN_STATE_WORDS
    const int16_t *first_left; // `left` and `marks` as an inference starts with them
    int n_first_left;
    uint8_t *first_marks; // nn_run notes in them what it has proven of a layer, for as long as the model stays what it is
    int n_first_marks;
} nn_inference;

enum {
    NN_AT_BLOBS, // word indices in the model
    NN_AT_LAYERS,
    NN_AT_OPERANDS,
    NN_AT_PARAMS,
    NN_AT_WEIGHTS, // a byte offset
    NN_AT_N_BLOBS,
    NN_AT_N_RECORDS, // blobs and constants
    NN_AT_N_LAYERS,
    NN_AT_STEPS, // word index of the steps, or 0
    NN_AT_WORDS
};

enum {
    NN_STATE_BASE, // where the frame starts in the arena, or -1
    NN_STATE_HITS,
    NN_STATE_MISSES,
    NN_STATE_LIGHTMODE,
    NN_STATE_FRAME, // bytes of the planned frame
    NN_STATE_WORDS
};

// Run the layers from `first` up to `stop`, both included, that have all bits of `mark` and are not done; at most
// `budget` of them, and none after `is_wanted` (where given), which is asked between two of them, has said yes. Returns the layer to go on with (stop + 1 at the end), or -1 - layer where that layer could not be
// done: then nothing of it has happened, and *reason (where given) says why. NN_RUN_BROKEN: the arguments are no inference.
#define NN_RUN_BROKEN INT32_MIN
int32_t nn_run(const nn_inference *inference, int32_t first, int32_t stop, int mark, int32_t budget,
    int (*is_wanted)(void), int *reason);

// Of a streamed model, run at most `count` steps from step `first` on, with the frame from byte `base` of the arena on; only the
// model, its places and kernels, and the arena of the inference are looked at. Returns the step to go on with: where it is none
// of those asked for, that one could not be done, or takes rows that are not given; *reason (where given) then says why.
//
// `known`: a byte for each layer, 0 at first, for as long as the model and `kernels` stay what they are. What a layer's
// operands are is proven once; then only that they lie in the model and the arena. Of layers without a byte it is proven each time.
// `given`: rows of one input, which steps take; null where there are none.
typedef struct {
    int32_t input, blob;
    const uint8_t *rows; // one after the other, without gaps
    size_t bytes; // of all that are left
    int32_t next; // row of the input
} nn_given;
int32_t nn_run_steps(const nn_inference *inference, int32_t base, int32_t first, int32_t count, uint8_t *known,
    int32_t known_layers, nn_given *given, int *reason);

// Give back the blocks of all blobs but those with one of the flags `kept`, and be as at the start. NN_OK or NN_BAD_MODEL.
int nn_reset(const nn_inference *inference, int32_t kept);

// Copy an input's elements, in the source's order and of the blob's type, into its block, which is placed if it is not
// yet. NN_CANNOT: that is no input, has not so many bytes, or there is no room; then nothing has happened.
int nn_set_input(const nn_inference *inference, int32_t blob, const void *data, size_t bytes);

// The layer to run up to for a blob that will be asked for, in the planned order; NN_IS_THERE: its elements are in memory;
// NN_LOOK: its order has to be searched, or an input is missing. NN_RUN_BROKEN as of nn_run. Nothing changes.
enum { NN_IS_THERE = -1, NN_LOOK = -2 };
int32_t nn_begin(const nn_inference *inference, int32_t blob);

#endif
