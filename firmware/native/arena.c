// The same algorithm over the same table as nnmicro/arena.py, step by step: after either the table is equal, the order
// of its free records included. Chains are followed for no more steps than there are records, whatever they hold.

#include "arena.h"

#define ALIGNMENT 16

int nn_arena_of(int32_t *table, int table_words, size_t bytes, nn_arena *arena) {
    if (table_words < NN_ARENA_HEADER + NN_BLOCK_WORDS || bytes >= (size_t)1 << 30) {
        return 0;
    }
    arena->table = table;
    arena->blocks = (table_words - NN_ARENA_HEADER) / NN_BLOCK_WORDS;
    arena->size = (int32_t)(bytes / ALIGNMENT * ALIGNMENT);
    return 1;
}

int32_t nn_arena_gap(const nn_arena *arena, int32_t bytes) {
    int64_t at = 0;
    int32_t block = arena->table[NN_ARENA_FIRST];
    for (int32_t steps = 0; steps < arena->blocks && nn_arena_is_block(arena, block); steps++) {
        const int32_t *r = nn_block(arena, block);
        if (r[NN_BLOCK_OFFSET] - at >= bytes) {
            return (int32_t)at;
        }
        at = (int64_t)r[NN_BLOCK_OFFSET] + r[NN_BLOCK_BYTES];
        block = r[NN_BLOCK_NEXT];
    }
    return arena->size - at >= bytes ? (int32_t)at : 0;
}

// One pass over the free ranges: for the range at `hint`, or (hint -1) for one that is long enough.
static int search(const nn_arena *arena, int32_t need, int64_t hint, int high, nn_placement *place) {
    int64_t at = 0;
    int32_t previous = -1, block = arena->table[NN_ARENA_FIRST];
    int found = 0;
    for (int32_t steps = 0; steps <= arena->blocks; steps++) {
        const int is_last = !nn_arena_is_block(arena, block);
        const int64_t end = is_last ? arena->size : nn_block(arena, block)[NN_BLOCK_OFFSET];
        if (hint >= 0 ? at <= hint && hint + need <= end : end - at >= need) {
            place->offset = (int32_t)(hint >= 0 ? hint : high ? end - need : at);
            place->before = previous;
            found = 1;
            if (hint >= 0 || !high) {
                break;
            }
        }
        if (is_last) {
            break;
        }
        at = end + nn_block(arena, block)[NN_BLOCK_BYTES];
        previous = block;
        block = nn_block(arena, block)[NN_BLOCK_NEXT];
    }
    return found;
}

int nn_arena_place(const nn_arena *arena, int32_t bytes, int64_t hint, int high, nn_placement *place) {
    if (bytes < 0 || bytes > (1 << 30) || !nn_arena_is_block(arena, arena->table[NN_ARENA_SPARE])) {
        return 0;
    }
    const int32_t need = bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    place->bytes = need;
    if (hint >= 0 && hint % ALIGNMENT == 0 && search(arena, need, hint, high, place)) {
        return 1;
    }
    // A damaged table may hold any offset; a block outside the memory is refused where its operand is checked.
    return search(arena, need, -1, high, place) && place->offset >= 0;
}

int32_t nn_arena_take(nn_arena *arena, const nn_placement *place) {
    int32_t *t = arena->table;
    const int32_t block = t[NN_ARENA_SPARE];
    int32_t *r = nn_block(arena, block);
    int32_t *link = place->before < 0 ? &t[NN_ARENA_FIRST] : &nn_block(arena, place->before)[NN_BLOCK_NEXT];
    t[NN_ARENA_SPARE] = r[NN_BLOCK_NEXT];
    r[NN_BLOCK_OFFSET] = place->offset;
    r[NN_BLOCK_BYTES] = place->bytes;
    r[NN_BLOCK_REFERENCES] = 1;
    r[NN_BLOCK_NEXT] = *link;
    *link = block;
    t[NN_ARENA_USED] = (int32_t)((uint32_t)t[NN_ARENA_USED] + (uint32_t)place->bytes);
    if (t[NN_ARENA_USED] > t[NN_ARENA_PEAK]) {
        t[NN_ARENA_PEAK] = t[NN_ARENA_USED];
    }
    t[NN_ARENA_LIVE] = (int32_t)((uint32_t)t[NN_ARENA_LIVE] + 1);
    return block;
}

void nn_arena_retain(nn_arena *arena, int32_t block) {
    int32_t *r = nn_block(arena, block);
    r[NN_BLOCK_REFERENCES] = (int32_t)((uint32_t)r[NN_BLOCK_REFERENCES] + 1);
}

void nn_arena_release(nn_arena *arena, int32_t block) {
    int32_t *t = arena->table;
    int32_t *r = nn_block(arena, block);
    if (r[NN_BLOCK_REFERENCES] > 1) {
        r[NN_BLOCK_REFERENCES]--;
        return;
    }
    int32_t *link = &t[NN_ARENA_FIRST];
    for (int32_t steps = 0; *link != block; steps++) {
        if (steps > arena->blocks || !nn_arena_is_block(arena, *link)) {
            return; // a damaged table: the block is in no chain
        }
        link = &nn_block(arena, *link)[NN_BLOCK_NEXT];
    }
    r[NN_BLOCK_REFERENCES] = 0;
    *link = r[NN_BLOCK_NEXT];
    r[NN_BLOCK_NEXT] = t[NN_ARENA_SPARE];
    t[NN_ARENA_SPARE] = block;
    t[NN_ARENA_USED] = (int32_t)((uint32_t)t[NN_ARENA_USED] - (uint32_t)r[NN_BLOCK_BYTES]);
    t[NN_ARENA_LIVE] = (int32_t)((uint32_t)t[NN_ARENA_LIVE] - 1);
}
