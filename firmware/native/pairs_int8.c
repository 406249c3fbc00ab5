// See pairs_int8.h.

#include "dsp.h"

#if NN_DSP

#include "pairs_int8.h"

#if NN_DSP_ASSEMBLER
#include "pairs_armv7em.h"
#else

enum { GROUP_CODE = 0 };

// The products of the patch with the pair at `w`.
static void add_pair(const nn_products *p, const int8_t *w, uint32_t *sums) {
    for (const uint32_t *x = p->x; x != p->x_end; w += 4) {
        const uint32_t both = nn_load_four(w), first = nn_extend_even(0, both);
        for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++, x++) {
            sums[pixel] = nn_dual_mac(sums[pixel], *x, first);
            sums[NN_PIXELS + pixel] = nn_dual_mac(sums[NN_PIXELS + pixel], *x, both);
        }
    }
}

// From one pair's weights to the next one's.
static ptrdiff_t pair_bytes(const nn_products *p) {
    return (p->x_end - p->x) / NN_GROUP_WORDS * NN_PAIR_WEIGHTS + p->next;
}

void nn_pairs_sums(nn_products *p) {
    const int8_t *w = p->w;
    for (uint32_t *sums = p->sums; sums != p->sums_end; sums += NN_PAIR_SUMS, w += pair_bytes(p)) {
        add_pair(p, w, sums);
    }
}

void nn_pairs_results(nn_products *products) {
    const nn_products p = *products; // so that nothing is read again after a result has been written
    const int8_t *w = p.w;
    const int32_t *channel = p.channels, count = (int32_t)(p.y_end - p.y[0]);
    const uint32_t *from = p.sums;
    for (int32_t i = 0; i < count; i += 2, channel += NN_PAIR_WORDS, from += p.sums_step / 4, w += pair_bytes(&p)) {
        uint32_t sums[NN_PAIR_SUMS];
        for (int32_t j = 0; j < NN_PAIR_SUMS; j++) {
            sums[j] = from[j];
        }
        add_pair(&p, w, sums);
        for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++) {
            nn_packed_results(channel, sums[pixel], sums[NN_PIXELS + pixel], p.y[pixel] + i);
        }
    }
}

#endif

void nn_pairs_piece(nn_products *p, int32_t n, int32_t filter) {
    const int32_t groups = (n + 3) >> 2, all = (filter + 3) >> 2;
    p->x_end = p->x + NN_GROUP_WORDS * groups;
    p->next = NN_PAIR_WEIGHTS * (all - groups);
    p->left_out = GROUP_CODE * (-groups & 3);
}

#endif
