// Patches of four pixels and their products with filters; see patch_int8.h.

#include "patch_int8.h"

void nn_patch_piece(nn_products *p, uint32_t *patch, int32_t n, int32_t filter) {
    p->x = patch;
    p->x_blocks = patch + NN_ELEMENT_WORDS * (n & -NN_BLOCK);
    p->x_end = patch + NN_ELEMENT_WORDS * (NN_DSP ? n & ~3 : NN_LANES ? n & ~1 : n);
    p->next = filter - n;
#if NN_LANES
    p->filter = filter;
    p->added = 128 * ((n + 1) >> 1);
#else
    p->back = NN_DSP && n & 3 ? 4 - (n & 3) : 0;
#endif
    p->n = n;
}

#if NN_DSP_ASSEMBLER
#include "patch_armv7em.h"
#include "patch_thumb2.h"
#elif !NN_DSP && defined(__thumb2__)
#include "patch_armv7m.h"
#include "patch_thumb2.h"
#elif !NN_DSP && defined(__ARM_ARCH_6M__)
#include "patch_armv6m.h"
#elif NN_LANES
#include "patch_lanes.h"
#else

#if NN_DSP

static void add_group(const uint32_t *x, const int8_t *w, uint32_t *s) {
    const uint32_t word = nn_load_four(w), even = nn_extend_even(0, word), odd = nn_extend_odd(0, word);
    for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++, x += 2) {
        s[pixel] = nn_dual_mac(nn_dual_mac(s[pixel], x[0], even), x[1], odd);
    }
}

static void add_filter(const nn_products *p, const int8_t *w, uint32_t *s) {
    const uint32_t *x = p->x;
    for (; x != p->x_end; x += 2 * NN_PIXELS, w += 4) {
        add_group(x, w, s);
    }
    if (p->back) {
        add_group(x, w - p->back, s);
    }
}

// Two filters: their pixels' sums one after the other.
static void add_filters(const nn_products *p, const int8_t *v, const int8_t *w, uint32_t *s) {
    add_filter(p, v, s);
    add_filter(p, w, s + NN_PIXELS);
}

#else

NN_INLINE void add_filters(const nn_products *p, const int8_t *v, const int8_t *w, uint32_t *s) {
    for (const uint32_t *x = p->x; x != p->x_end; x += NN_PIXELS) {
        const int32_t first = *v++, second = *w++;
        for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++) {
            s[pixel] = nn_mac(s[pixel], (int32_t)x[pixel], first);
            s[NN_PIXELS + pixel] = nn_mac(s[NN_PIXELS + pixel], (int32_t)x[pixel], second);
        }
    }
}

#endif

static void add_products(nn_products *p) {
    const int8_t *w = p->w;
    const ptrdiff_t filter = p->n + p->next;
    uint32_t *sums = p->sums;
    for (; sums != p->sums_end; sums += NN_PIXELS, w += filter) {
        const int pair = sums + NN_PIXELS != p->sums_end;
        uint32_t s[2 * NN_PIXELS] = {sums[0], sums[1], sums[2], sums[3]}, *second = sums + NN_PIXELS;
        if (pair) {
            s[4] = second[0];
            s[5] = second[1];
            s[6] = second[2];
            s[7] = second[3];
        }
        add_filters(p, w, pair ? w + filter : w, s);
        sums[0] = s[0];
        sums[1] = s[1];
        sums[2] = s[2];
        sums[3] = s[3];
        if (pair) {
            second[0] = s[4];
            second[1] = s[5];
            second[2] = s[6];
            second[3] = s[7];
            sums = second;
            w += filter;
        }
    }
}

// Where pixels' results go.
typedef struct {
    int8_t *a, *b, *c, *d;
} places;

// The results of a filter from its sums, bias included.
NN_INLINE void write(const nn_products *p, int32_t i, const uint32_t *s, const places *y) {
    const int32_t multiplier = p->multiplier[i], shift = p->shift[i], odd = p->odd;
    y->a[i] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)s[0], multiplier, shift, odd));
    y->b[i] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)s[1], multiplier, shift, odd));
    y->c[i] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)s[2], multiplier, shift, odd));
    y->d[i] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)s[3], multiplier, shift, odd));
}

// A filter's bias and the sums there are; with a step of 0 there are none.
NN_INLINE void take(const nn_products *p, int32_t i, int32_t step, uint32_t *s) {
    const uint32_t bias = (uint32_t)p->bias[i];
    s[0] = s[1] = s[2] = s[3] = bias;
    if (step) {
        const uint32_t *sums = p->sums + i * step;
        s[0] += sums[0];
        s[1] += sums[1];
        s[2] += sums[2];
        s[3] += sums[3];
    }
}

static void write_results(nn_products *products) {
    const nn_products p = *products; // so that nothing is read again after a result has been written
    const int8_t *w = p.w;
    const ptrdiff_t filter = p.n + p.next;
    const int32_t count = (int32_t)(p.y_end - p.y[0]), step = p.sums_step / (int32_t)sizeof *p.sums;
    const places y = {p.y[0], p.y[1], p.y[2], p.y[3]};
    for (int32_t i = 0; i < count; i += 2) {
        const int pair = i + 1 < count;
        uint32_t s[2 * NN_PIXELS];
        take(&p, i, step, s);
        take(&p, i + pair, step, s + NN_PIXELS);
        const int8_t *first = w + i * filter;
        add_filters(&p, first, pair ? first + filter : first, s);
        write(&p, i, s, &y);
        if (pair) {
            write(&p, i + 1, s + NN_PIXELS, &y);
        }
    }
}

#endif

#if NN_LANES

void nn_patch_sums(nn_products *p) {
    if (p->filter < 2) {
        add_single(p);
    } else {
        p->y_end = NULL;
        add_all(p, (int32_t)(p->sums_end - p->sums) / NN_PIXELS);
    }
}

void nn_patch_results(nn_products *p) {
    add_all(p, (int32_t)(p->y_end - p->y[0]));
}

#else

// Filters of less than four weights, which the assembler cannot load.
static void add_few(const nn_products *p) {
    const int8_t *w = p->w;
    for (uint32_t *sums = p->sums; sums != p->sums_end; sums += NN_PIXELS, w += p->n + p->next) {
        for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++) {
            for (int32_t i = 0; i < p->n; i++) {
                const int32_t at = 4 - p->n + i; // where nn_patch_end has put it
                const uint32_t word = p->x[2 * pixel + (at & 1)];
                sums[pixel] = nn_mac(sums[pixel], (int16_t)(word >> 8 * (at & 2)), w[i]);
            }
        }
    }
}

void nn_patch_sums(nn_products *p) {
    if (NN_DSP && p->n < 4) {
        add_few(p);
    } else {
        add_products(p);
    }
}

void nn_patch_results(nn_products *p) {
    write_results(p);
}

#endif
