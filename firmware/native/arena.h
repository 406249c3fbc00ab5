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

// The words of a table: its head, then records.
enum { NN_ARENA_USED, NN_ARENA_PEAK, NN_ARENA_FIRST, NN_ARENA_SPARE, NN_ARENA_LIVE, NN_ARENA_HEADER };
enum { NN_BLOCK_OFFSET, NN_BLOCK_BYTES, NN_BLOCK_REFERENCES, NN_BLOCK_NEXT, NN_BLOCK_WORDS };

static inline int32_t *nn_block(const nn_arena *arena, int32_t block) {
    return arena->table + NN_ARENA_HEADER + block * NN_BLOCK_WORDS;
}

static inline int nn_arena_is_block(const nn_arena *arena, int32_t block) {
    return block >= 0 && block < arena->blocks;
}

static inline __attribute__((always_inline)) int nn_arena_is_live(const nn_arena *arena, int32_t block) {
    return nn_arena_is_block(arena, block) && nn_block(arena, block)[NN_BLOCK_REFERENCES] > 0;
}

// Offset of the lowest free range of at least `bytes`, or 0 where there is none.
int32_t nn_arena_gap(const nn_arena *arena, int32_t bytes);

// Find room as `Arena.alloc` does; 0 where there is none. Nothing changes before nn_arena_take.
int nn_arena_place(const nn_arena *arena, int32_t bytes, int64_t hint, int high, nn_placement *place);
int32_t nn_arena_take(nn_arena *arena, const nn_placement *place);

void nn_arena_retain(nn_arena *arena, int32_t block);
void nn_arena_release(nn_arena *arena, int32_t block);

#endif
