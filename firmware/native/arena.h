// The arena's table, shared with nnmicro/arena.py.

#ifndef NN_ARENA_H
#define NN_ARENA_H

#include "nn.h"

typedef struct {
    int32_t *table;
    int32_t blocks; // records in the table
    int32_t size; // bytes of memory
} nn_arena;

// Where a new block would lie, and between which blocks.
typedef struct {
    int32_t offset, bytes;
    int32_t before; // the block in front of it, or -1
} nn_placement;

// Whether the table is one.
int nn_arena_of(int32_t *table, int table_words, size_t bytes, nn_arena *arena);

int nn_arena_is_live(const nn_arena *arena, int32_t block);
int32_t nn_arena_offset(const nn_arena *arena, int32_t block);
int32_t nn_arena_bytes(const nn_arena *arena, int32_t block);
int32_t nn_arena_references(const nn_arena *arena, int32_t block);

// Offset of the lowest free range of at least `bytes`, or 0 where there is none.
int32_t nn_arena_gap(const nn_arena *arena, int32_t bytes);

// Find room as `Arena.alloc` does; 0 where there is none. Nothing changes before nn_arena_take.
int nn_arena_place(const nn_arena *arena, int32_t bytes, int64_t hint, int high, nn_placement *place);
int32_t nn_arena_take(nn_arena *arena, const nn_placement *place);

void nn_arena_retain(nn_arena *arena, int32_t block);
void nn_arena_release(nn_arena *arena, int32_t block);

#endif
