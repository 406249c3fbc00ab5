// Convolution in int8; see nnmicro/reference/convolution_int8.py.
//
// Four pixels at a time: what the filters see of them is widened once into a patch (patch_int8.h), taps outside of x as
// zeros, and used for all filters of a group, or as many of them as have room for their sums.

#include "patch_int8.h"
#include "windows_int8.h"

struct nn_filters {
    nn_products products;
    const int8_t *weights;
    nn_channels channels;
    int quick; // whether all channels are
    int fused; // whether nn_patch_results can finish those that are
    int clamped; // whether not all that fits a byte is a result
    int alone; // whether it can finish all of them without sums in memory
    int32_t together; // that have room for their sums
    uint32_t *patch; // and sums behind it
#if NN_LANES
    int32_t first; // of the channels that are worked out
    int32_t start[NN_STARTS]; // of their sums, bias included
#endif
};

// The channels that are worked out now.
NN_INLINE int32_t first_of(const nn_windows *k) {
#if NN_LANES
    return k->of->first;
#else
    (void)k;
    return 0;
#endif
}

NN_INLINE int32_t end_of(const nn_windows *k) {
    return NN_LANES ? nn_min(first_of(k) + NN_STARTS, k->call->out.c) : k->call->out.c;
}

// From channel 0 of x to what the first of them sees.
NN_INLINE ptrdiff_t group_of(const nn_windows *k) {
    return NN_LANES ? (ptrdiff_t)(first_of(k) / k->outputs) * k->inputs * k->x.cs : 0;
}

// What a channel's products are added to.
NN_INLINE uint32_t start_of(const nn_windows *k, int32_t o) {
#if NN_LANES
    return (uint32_t)k->of->start[o - k->of->first] - (uint32_t)k->of->channels.bias[o];
#else
    (void)k;
    (void)o;
    return 0;
#endif
}

#if NN_LANES

// Elements keep their zero point: that times the weights is what the sums have too much of.
NN_NOINLINE void starts(nn_windows *k) {
    const int8_t *w = k->of->weights + (ptrdiff_t)k->of->first * k->filter;
    for (int32_t o = k->of->first, end = end_of(k); o < end; o++) {
        const int8_t *const next = w + k->filter;
        uint32_t sum = 0;
        for (const int8_t *const fours = w + (k->filter & ~3); w != fours; w += 4) {
            sum += (uint32_t)(w[0] + w[1] + w[2] + w[3]);
        }
        while (w != next) {
            sum += (uint32_t)*w++;
        }
        k->of->start[o - k->of->first] = (int32_t)((uint32_t)k->of->channels.bias[o] - (uint32_t)k->zero * sum);
    }
}

#endif

// A channel of all pixels that is not of the ordinary kind.
NN_SELDOM NN_NOINLINE void unusual(const nn_windows *k, const nn_spot *s, int32_t o, const uint32_t *sums) {
    for (int32_t i = 0; i < NN_PIXELS; i++) {
        s[i].to[(ptrdiff_t)o * k->call->out.cs] = nn_channel_result(&k->of->channels, o, sums[i]);
    }
}

// All pixels' channels [o, o + n). What is of one pixel only goes to the same place several times.
NN_NOINLINE void results(const nn_windows *k, const nn_spot *s, int32_t o, int32_t n, const uint32_t *sums) {
    const nn_channels *c = &k->of->channels;
    const ptrdiff_t step = k->call->out.cs;
    for (int32_t end = o + n; o < end; o++, sums += NN_PIXELS) {
        const uint32_t bias = (uint32_t)c->bias[o];
        nn_quick quick;
        if (!nn_quick_of(c->multiplier[o], c->shift[o], c->zero, &quick)) {
            unusual(k, s, o, sums);
            continue;
        }
        const int32_t v[NN_PIXELS] = {(int32_t)(sums[0] + bias), (int32_t)(sums[1] + bias), (int32_t)(sums[2] + bias),
            (int32_t)(sums[3] + bias)};
        if (!k->of->quick && !(nn_are_quick(v[0], v[1]) && nn_are_quick(v[2], v[3]))) {
            unusual(k, s, o, sums);
            continue;
        }
        for (int32_t i = 0; i < NN_PIXELS; i++) {
            s[i].to[o * step] = (int8_t)nn_min(nn_max(nn_quick_result(&quick, v[i], 0), c->least), c->most);
        }
    }
}

// What nn_patch_results has written, kept within the bounds.
NN_NOINLINE void clamp(const nn_windows *k, const nn_spot *s, int32_t o, int32_t n) {
    const int32_t least = k->of->channels.least, most = k->of->channels.most;
    for (int32_t i = 0; i < NN_PIXELS; i++) {
        int8_t *y = s[i].to + o;
        for (int32_t j = 0; j < n; j++) {
            y[j] = (int8_t)nn_min(nn_max(y[j], least), most);
        }
    }
}

// How many channels from o on, at most n, are quick like it, or are not.
static int32_t alike(const nn_channels *c, int32_t o, int32_t n, int *quick) {
    int32_t count = 1;
    *quick = nn_is_quick(c->bias[o], c->shift[o]);
    while (count < n && nn_is_quick(c->bias[o + count], c->shift[o + count]) == *quick) {
        count++;
    }
    return count;
}

// The results of channels [o, o + n): the last piece's products with their filters are still to be added.
static void finish(const nn_windows *k, const nn_spot *s, int32_t o, int32_t n) {
    nn_filters *const of = k->of;
    nn_products *const p = &of->products;
    p->bias = of->channels.bias + o;
#if NN_LANES
    p->bias = of->alone ? of->start + (o - of->first) : p->bias;
#endif
    p->multiplier = of->channels.multiplier + o;
    p->shift = of->channels.shift + o;
    for (int32_t i = 0; i < NN_PIXELS; i++) {
        p->y[i] = s[i].to + o;
    }
    p->y_end = p->y[0] + n;
    nn_patch_results(p);
    if (of->clamped) {
        clamp(k, s, o, n);
    }
}

// All output channels of the pixels, where no sums have to lie in memory.
static void at_once(const nn_windows *k, const nn_spot *s) {
    nn_products *const p = &k->of->products;
    static const uint32_t nothing[NN_PIXELS] = {0, 0, 0, 0};
    const int32_t end = end_of(k);
    ptrdiff_t x = group_of(k);
    p->sums = (uint32_t *)(uintptr_t)nothing; // read only
    for (int32_t o = first_of(k), n; o < end; o += n, x += (ptrdiff_t)k->inputs * k->x.cs) {
        n = NN_LANES ? nn_min(k->outputs - o % k->outputs, end - o) : k->outputs;
        fill_all(k, s, x, 0, k->filter, k->of->patch);
        p->w = k->of->weights + (ptrdiff_t)o * k->filter;
        finish(k, s, o, n);
    }
}

// All output channels of the pixels, piece by piece: the sums of some channels lie behind the patch.
static void by_pieces(const nn_windows *k, const nn_spot *s) {
    nn_filters *const of = k->of;
    nn_products *const p = &of->products;
    uint32_t *const patch = of->patch, *const sums = patch + k->piece * NN_ELEMENT_WORDS;
    const int32_t end = end_of(k);
    ptrdiff_t x = group_of(k);
    for (int32_t o = first_of(k), first = o, next = o - (NN_LANES ? o % k->outputs : 0) + k->outputs, n; o < end; o += n) {
        if (o == next) {
            first = o;
            next += k->outputs;
            x += (ptrdiff_t)k->inputs * k->x.cs;
        }
        int fused = of->fused;
        n = nn_min((NN_LANES ? nn_min(next, end) : next) - o, of->together);
        if (fused && !of->quick) {
            n = alike(&of->channels, o, n, &fused);
        }
        for (int32_t i = 0; i < NN_PIXELS * n; i++) {
            sums[i] = start_of(k, o + i / NN_PIXELS);
        }
        for (int32_t at = 0, length; at < k->filter; at += length) {
            length = nn_min(k->piece, k->filter - at);
            if (length < k->filter || o == first) {
                fill_all(k, s, x, at, length, patch);
            }
            if (length != p->n) {
                nn_patch_piece(p, patch, length, k->filter);
            }
            p->w = of->weights + (ptrdiff_t)o * k->filter + at;
            p->sums = sums;
            p->sums_end = sums + NN_PIXELS * n;
            if (!fused || at + length < k->filter) {
                nn_patch_sums(p);
            } else {
                finish(k, s, o, n);
            }
        }
        if (!fused) {
            results(k, s, o, n, sums);
        }
    }
}

NN_NOINLINE void all_pixels(nn_windows *k) {
    nn_spot spots[NN_PIXELS];
    uint32_t scratch[NN_SCRATCH_WORDS];
    nn_products *const p = &k->of->products;
    k->of->patch = scratch;
    p->odd = 2 * k->of->channels.zero + 1;
    p->sums_step = k->of->alone ? 0 : NN_PIXELS * (int32_t)sizeof *p->sums;
    nn_patch_piece(p, scratch, nn_min(k->piece, k->filter), k->filter);
    nn_all_pixels(k, spots, NN_PIXELS, k->of->alone ? at_once : by_pieces);
}

static int prepare(const nn_state *call, nn_windows *k) {
    if (call->n_in != 5) {
        return NN_BAD_COUNT;
    }
    int64_t count;
    NN_TRY(nn_windows_of(call, NN_PIECE, NN_BLOCK, k, &count));
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_I8, count, &data));
    k->of->weights = data;
    NN_TRY(nn_channels_of(call, call->out.c, call->params + CONVOLUTION_INT8_OUTPUT_ZERO, &k->of->channels));
    k->of->clamped = k->of->channels.least != -128 || k->of->channels.most != 127;
    k->of->quick = k->of->channels.quick && k->filter <= NN_QUICK_PRODUCTS;
    k->of->fused = k->filter >= 4 && k->filter <= NN_QUICK_PRODUCTS && call->out.cs == 1;
    k->of->alone = k->of->fused && k->of->quick && k->filter <= NN_ALONE;
    k->piece = k->of->alone ? k->filter : k->piece;
    k->of->together = NN_FILTERS;
    if (NN_FILTERS < NN_MORE_FILTERS && k->filter > NN_PIECE && k->outputs > NN_FILTERS) {
        const int32_t pieces = (k->filter - 1) / NN_SHORT_PIECE + 1;
        k->piece = nn_min(((k->filter - 1) / pieces + NN_BLOCK) & -NN_BLOCK, NN_SHORT_PIECE);
        k->of->together = NN_MORE_FILTERS;
    }
    return NN_OK;
}

int nn_convolution_int8(const nn_state *call) {
    nn_windows k;
    nn_filters filters;
    k.of = &filters;
    NN_TRY(prepare(call, &k));
#if NN_LANES
    for (filters.first = 0; filters.first < call->out.c; filters.first += NN_STARTS) {
        starts(&k);
        all_pixels(&k);
    }
#else
    all_pixels(&k);
#endif
    return NN_OK;
}
