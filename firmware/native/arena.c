// The same algorithm over the same table as nnmicro/arena.py, step by step: after either the table is equal, the order
// of its free records included. Chains are followed for no more steps than there are records, whatever they hold.

#include "arena.h"

enum { USED, PEAK, FIRST, SPARE, LIVE, HEADER };
enum { OFFSET, BYTES, REFERENCES, NEXT, RECORD };

#define ALIGNMENT 16

int nn_arena_of(int32_t *table, int table_words, size_t bytes, nn_arena *arena) {
    if (table_words < HEADER + RECORD || bytes >= (size_t)1 << 30) {
        return 0;
    }
    arena->table = table;
    arena->blocks = (table_words - HEADER) / RECORD;
    arena->size = (int32_t)(bytes / ALIGNMENT * ALIGNMENT);
    return 1;
}

static int32_t *record(const nn_arena *arena, int32_t block) {
    return arena->table + HEADER + block * RECORD;
}

static int is_block(const nn_arena *arena, int32_t block) {
    return block >= 0 && block < arena->blocks;
}

int nn_arena_is_live(const nn_arena *arena, int32_t block) {
    return is_block(arena, block) && record(arena, block)[REFERENCES] > 0;
}

int32_t nn_arena_offset(const nn_arena *arena, int32_t block) {
    return record(arena, block)[OFFSET];
}

int32_t nn_arena_bytes(const nn_arena *arena, int32_t block) {
    return record(arena, block)[BYTES];
}

int32_t nn_arena_references(const nn_arena *arena, int32_t block) {
    return record(arena, block)[REFERENCES];
}

int32_t nn_arena_gap(const nn_arena *arena, int32_t bytes) {
    int64_t at = 0;
    int32_t block = arena->table[FIRST];
    for (int32_t steps = 0; steps < arena->blocks && is_block(arena, block); steps++) {
        const int32_t *r = record(arena, block);
        if (r[OFFSET] - at >= bytes) {
            return (int32_t)at;
        }
        at = (int64_t)r[OFFSET] + r[BYTES];
        block = r[NEXT];
    }
    return arena->size - at >= bytes ? (int32_t)at : 0;
}

// One pass over the free ranges: for the range at `hint`, or (hint -1) for one that is long enough.
static int search(const nn_arena *arena, int32_t need, int64_t hint, int high, nn_placement *place) {
    int64_t at = 0;
    int32_t previous = -1, block = arena->table[FIRST];
    int found = 0;
    for (int32_t steps = 0; steps <= arena->blocks; steps++) {
        const int is_last = !is_block(arena, block);
        const int64_t end = is_last ? arena->size : record(arena, block)[OFFSET];
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
        at = end + record(arena, block)[BYTES];
        previous = block;
        block = record(arena, block)[NEXT];
    }
    return found;
}

int nn_arena_place(const nn_arena *arena, int32_t bytes, int64_t hint, int high, nn_placement *place) {
    if (bytes < 0 || bytes > (1 << 30) || !is_block(arena, arena->table[SPARE])) {
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
    const int32_t block = t[SPARE];
    int32_t *r = record(arena, block);
    int32_t *link = place->before < 0 ? &t[FIRST] : &record(arena, place->before)[NEXT];
    t[SPARE] = r[NEXT];
    r[OFFSET] = place->offset;
    r[BYTES] = place->bytes;
    r[REFERENCES] = 1;
    r[NEXT] = *link;
    *link = block;
    t[USED] = (int32_t)((uint32_t)t[USED] + (uint32_t)place->bytes);
    if (t[USED] > t[PEAK]) {
        t[PEAK] = t[USED];
    }
    t[LIVE] = (int32_t)((uint32_t)t[LIVE] + 1);
    return block;
}

void nn_arena_retain(nn_arena *arena, int32_t block) {
    int32_t *r = record(arena, block);
    r[REFERENCES] = (int32_t)((uint32_t)r[REFERENCES] + 1);
}

void nn_arena_release(nn_arena *arena, int32_t block) {
    int32_t *t = arena->table;
    int32_t *r = record(arena, block);
    if (r[REFERENCES] > 1) {
        r[REFERENCES]--;
        return;
    }
    int32_t *link = &t[FIRST];
    for (int32_t steps = 0; *link != block; steps++) {
        if (steps > arena->blocks || !is_block(arena, *link)) {
            return; // a damaged table: the block is in no chain
        }
        link = &record(arena, *link)[NEXT];
    }
    r[REFERENCES] = 0;
    *link = r[NEXT];
    r[NEXT] = t[SPARE];
    t[SPARE] = block;
    t[USED] = (int32_t)((uint32_t)t[USED] - (uint32_t)r[BYTES]);
    t[LIVE] = (int32_t)((uint32_t)t[LIVE] - 1);
}
