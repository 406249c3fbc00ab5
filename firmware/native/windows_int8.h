// What the filters of an int8 convolution see, pixel by pixel, put into patches. Included by each kernel after the header
// that says how its patches lie: NN_PIXELS, NN_PIXEL_WORDS, NN_PIECE, NN_PATCH, NN_BLOCK, nn_products, nn_patch_fill,
// nn_patch_clear and nn_patch_end; and after `filters`, what it knows of its weights. It has a `begin`, once for all pixels,
// and a `work_out` for NN_PIXELS of them.

#ifndef NN_WINDOWS_INT8_H
#define NN_WINDOWS_INT8_H

typedef struct {
    const nn_state *call;
    nn_operand x;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t inputs; // channels of x for each output channel
    int32_t outputs; // channels that see the same ones
    int32_t filter; // elements that each of them sees
    int32_t piece; // of a filter that is worked on at a time
    int32_t zero; // of x
    uint32_t minus; // what takes it away: minus_of
    int32_t run; // weights of a kernel row
    ptrdiff_t row_step; // from one's elements to the next one's
    ptrdiff_t ring; // from the first row that is held to behind the last
    int merged; // whether the taps of a kernel row lie in one run
    int pointwise; // whether all that a filter sees lies in one run
    int direct; // whether runs of whole pixels can be widened where they belong
    int straight; // whether whole runs can
    filters of;
} work;

// One pixel of the output.
typedef struct {
    const int8_t *x; // the first run, if the whole window is inside of x; or null
    int32_t turn; // runs before the one where the rows that are held begin again
    int8_t *to;
    int32_t row, column; // of the output
} spot;

// What is added to elements to take their zero point away.
NN_INLINE uint32_t minus_of(int32_t zero) {
#if NN_DSP
    return nn_both_halves(-zero);
#else
    return (uint32_t)-zero;
#endif
}

#if NN_LANES

// Elements [at, at + n) of a pixel's piece are those of x: into bytes, which are put into lanes when they are complete.
NN_INLINE void put(const work *k, const int8_t *x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
    (void)patch;
    for (bytes += at; n; n--, x += k->x.cs) {
        *bytes++ = *x;
    }
}

#elif NN_DSP

// Bytes that lie anywhere, apart.
NN_INLINE void copy_bytes(int8_t *to, const int8_t *x, int32_t n) {
    if (n < 4) {
        for (int32_t i = 0; i < n; i++) {
            to[i] = x[i];
        }
        return;
    }
    const int8_t *const last = x + n - 4;
    for (; x < last; x += 4, to += 4) {
        __builtin_memcpy(to, x, 4);
    }
    __builtin_memcpy(to - (x - last), last, 4); // some of them again
}

// Elements [at, at + n) of a pixel's piece are those of x: they go into the patch or, where groups of four lie across runs,
// into bytes, which are widened when they are complete.
NN_INLINE void put(const work *k, const int8_t *x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
    if (k->direct) {
        nn_patch_fill(patch, at, x, n, k->minus);
    } else if (k->x.cs == 1) {
        copy_bytes(bytes + at, x, n);
    } else {
        for (int32_t i = 0; i < n; i++) {
            bytes[at + i] = x[(ptrdiff_t)i * k->x.cs];
        }
    }
}

#else

NN_INLINE void put(const work *k, const int8_t *x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
    (void)bytes;
    if (k->x.cs == 1) {
        nn_patch_fill(patch, at, x, n, k->minus);
        return;
    }
    for (int32_t i = 0; i < n; i++) {
        patch[NN_PIXELS * (at + i)] = (uint32_t)x[(ptrdiff_t)i * k->x.cs] + k->minus;
    }
}

#endif

// Elements [at, at + n) of a window that is not inside of x; `x` is from the first channel to the group's.
NN_NOINLINE void put_some(const work *k, const spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
    const nn_span rows = nn_taps(s->row, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
    const nn_span columns = nn_taps(s->column, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w);
    const int32_t taps = columns.end - columns.first;
    const int32_t parts = k->merged ? 1 : taps, length = k->merged ? taps * k->inputs : k->inputs;
#if NN_DSP || NN_LANES
    if (NN_LANES || !k->direct) {
        const uint32_t zeros = (uint32_t)(uint8_t)k->zero * 0x01010101u;
        for (int32_t i = 0; i < n; i += 4) {
            __builtin_memcpy(bytes + i, &zeros, 4);
        }
    }
#endif
#if !NN_LANES
    if (k->direct) {
        nn_patch_clear(patch, n);
    }
#endif
    for (int32_t tap = rows.first; tap < rows.end; tap++) {
        const int32_t row = nn_row(&k->x, rows.start + (tap - rows.first) * k->dilation_h);
        const int8_t *from = (const int8_t *)k->x.data + x + (ptrdiff_t)row * k->x.rs + (ptrdiff_t)columns.start * k->x.ps;
        int32_t begin = tap * k->run + columns.first * k->inputs - at;
        for (int32_t part = 0; part < parts; part++, begin += k->inputs) {
            const int32_t first = nn_max(begin, 0), end = nn_min(begin + length, n);
            if (first < end) {
                const ptrdiff_t place = (ptrdiff_t)part * k->dilation_w * k->x.ps + (ptrdiff_t)(first - begin) * k->x.cs;
                put(k, from + place, first, end - first, patch, bytes);
            }
        }
    }
}

#if NN_LANES

// What two pixels see whose windows are inside of x, elements [at, at + n).
NN_NOINLINE void fill_inside(const work *k, const spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
    const int8_t *a = s[0].x + x, *b = s[1].x + x;
    int32_t skipped = 0, tap = 0;
    if (at) {
        skipped = at % k->run;
        tap = at / k->run;
        a += tap * k->row_step - (tap >= s[0].turn ? k->ring : 0);
        b += tap * k->row_step - (tap >= s[1].turn ? k->ring : 0);
    }
    for (int32_t done = 0; done < n;) {
        const int32_t length = nn_min(k->run - skipped, n - done);
        nn_patch_fill(patch, done, a + skipped, b + skipped, length);
        done += length;
        skipped = 0;
        tap++;
        a += k->row_step - (tap == s[0].turn ? k->ring : 0);
        b += k->row_step - (tap == s[1].turn ? k->ring : 0);
    }
}

// What the filters from channel `x` on see of the pixels, elements [at, at + n).
static void fill_all(const work *k, const spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
    for (uint32_t *const end = patch + NN_ELEMENT_WORDS; patch != end; patch++, s += 2) {
        if (s[0].x && s[1].x) {
            fill_inside(k, s, x, at, n, patch);
        } else {
            uint32_t room[2][NN_PATCH / 4 + 1];
            put_some(k, s, x, at, n, patch, (int8_t *)room[0]);
            put_some(k, s + 1, x, at, n, patch, (int8_t *)room[1]);
            nn_patch_fill(patch, 0, (int8_t *)room[0], (int8_t *)room[1], n);
        }
        if (n & 1) { // the last element comes after one that is nothing
            uint32_t *const last = patch + NN_ELEMENT_WORDS * (n - 1);
            last[NN_ELEMENT_WORDS] = last[0];
            last[0] = 0;
        }
    }
}

#else

// Put weights' elements [at, at + n) of a pixel into its part of the patch.
NN_NOINLINE void fill(const work *k, const spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
#if NN_DSP
    int8_t room[4 + NN_PATCH], *const bytes = room + 4;
#else
    int8_t *const bytes = NULL;
#endif
    if (!s->x) {
        put_some(k, s, x, at, n, patch, bytes);
        if (k->direct) {
            return;
        }
    } else {
        const int32_t run = k->run;
        const int8_t *from = s->x + x;
        int32_t skipped = 0, done = 0, tap = 0;
        if (at) { // only where all is straight
            skipped = at % run;
            tap = at / run;
            from += tap * k->row_step - (tap >= s->turn ? k->ring : 0);
        }
        for (; done < n; from += k->row_step - (++tap == s->turn ? k->ring : 0)) {
#if NN_DSP
            if (!k->straight) {
                copy_bytes(bytes + done, from, run);
                done += run;
                continue;
            }
#endif
            const int32_t length = nn_min(run - skipped, n - done);
            nn_patch_fill(patch, done, from + skipped, length, k->minus);
            done += length;
            skipped = 0;
        }
        if (k->straight) {
            return;
        }
    }
#if NN_DSP
    nn_patch_end(bytes, n, k->zero);
    nn_patch_fill(patch, 0, bytes, (n + 3) & ~3, k->minus);
#endif
}

#if !NN_DSP

// All of a window that is inside of x.
NN_NOINLINE void fill_window(const work *k, const int8_t *x, int32_t turn, uint32_t *patch) {
    const int32_t run = k->run, words = NN_PIXELS * run;
    const uint32_t minus = k->minus;
    for (uint32_t *const end = patch + NN_PIXELS * k->filter; patch != end; patch += words) {
        nn_patch_fill(patch, 0, x, run, minus);
        x += k->row_step - (--turn ? 0 : k->ring);
    }
}

#endif

// What the filters from channel `x` on see of the pixels, elements [at, at + n).
static void fill_all(const work *k, const spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
    for (const spot *const end = s + NN_PIXELS; s != end; s++, patch += NN_PIXEL_WORDS) {
        if (s->x && k->pointwise) {
            nn_patch_fill(patch, 0, s->x + x + at, n, k->minus);
#if !NN_DSP
        } else if (s->x && n == k->filter) {
            fill_window(k, s->x + x, s->turn, patch);
#endif
        } else {
            fill(k, s, x, at, n, patch);
        }
    }
}

#endif

// All that does not depend on how weights lie; `*weights`: how many there are.
static int windows_of(const nn_state *call, work *k, int64_t *weights) {
    const int32_t *p = call->params;
    if (call->n_params != CONVOLUTION_INT8_PARAMS || p[CONVOLUTION_INT8_GROUP] < 1
        || !nn_is_int8(p[CONVOLUTION_INT8_INPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    k->kernel_h = p[CONVOLUTION_INT8_KERNEL_H];
    k->kernel_w = p[CONVOLUTION_INT8_KERNEL_W];
    k->stride_h = p[CONVOLUTION_INT8_STRIDE_H];
    k->stride_w = p[CONVOLUTION_INT8_STRIDE_W];
    k->dilation_h = p[CONVOLUTION_INT8_DILATION_H];
    k->dilation_w = p[CONVOLUTION_INT8_DILATION_W];
    k->pad_top = p[CONVOLUTION_INT8_PAD_TOP];
    k->pad_left = p[CONVOLUTION_INT8_PAD_LEFT];
    k->zero = p[CONVOLUTION_INT8_INPUT_ZERO];
    k->minus = minus_of(k->zero);
    if (!nn_window_fits(call->out.h, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h)
        || !nn_window_fits(call->out.w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k->x));
    if (call->out.dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    k->call = call;
    const int32_t group = p[CONVOLUTION_INT8_GROUP];
    if (k->x.c % group || call->out.c % group) {
        return NN_BAD_SHAPE;
    }
    k->inputs = k->x.c / group;
    k->outputs = call->out.c / group;
    // Bounded one after the other, so that no product can overflow.
    const int64_t taps = (int64_t)k->kernel_h * k->kernel_w, filters = (int64_t)call->out.c * k->inputs;
    if (taps >= INT32_MAX || filters >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    *weights = taps * filters;
    if (*weights >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    k->filter = (int32_t)taps * k->inputs;
    // Pieces of about the same length.
    const int32_t pieces = (k->filter - 1) / NN_PIECE + 1;
    k->piece = nn_min(((k->filter - 1) / pieces + NN_BLOCK) & -NN_BLOCK, NN_PIECE);
    k->run = k->kernel_w * k->inputs;
    k->row_step = (ptrdiff_t)k->dilation_h * k->x.rs;
    k->ring = (ptrdiff_t)k->x.rows * k->x.rs;
    k->merged = k->x.cs == 1 && ((k->x.ps == k->inputs && k->dilation_w == 1) || k->kernel_w == 1);
    k->direct = (k->x.cs == 1 && k->inputs % 4 == 0) || !NN_DSP;
    k->straight = k->run % 4 == 0 || !NN_DSP;
    k->pointwise = k->straight && k->kernel_h == 1;
    return NN_OK;
}

static void begin(const work *k, nn_products *p, uint32_t *scratch);
NN_INLINE void work_out(const work *k, nn_products *p, const spot *s, uint32_t *scratch);

// All pixels, NN_PIXELS at a time.
NN_NOINLINE void all_pixels(const work *k, nn_products *p) {
    spot spots[NN_PIXELS], *s = spots;
    uint32_t scratch[NN_SCRATCH_WORDS]; // the patch, then sums
    const nn_operand *out = &k->call->out;
    const int32_t x_step = k->stride_w * k->x.ps, y_step = out->ps, w = out->w, last = k->call->y1 - 1;
    int32_t first = 0, end = 0; // columns whose windows are inside of x
    begin(k, p, scratch);
    if (k->merged && (k->straight || k->piece >= k->filter)) {
        nn_inside(w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w, &first, &end);
    }
    for (int32_t y = k->call->y0; y <= last; y++) {
        const nn_span rows = nn_taps(y, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
        const int32_t top = nn_row(&k->x, rows.start), reach = (k->kernel_h - 1) * k->dilation_h;
        const int high = rows.end - rows.first == k->kernel_h && reach < k->x.rows; // rows of taps that all are there
        const int32_t ahead = k->x.rows - top;
        const int32_t turn = reach < ahead ? k->kernel_h : (ahead + k->dilation_h - 1) / k->dilation_h;
        const int32_t from = high ? first : w, to = high ? end : w;
        ptrdiff_t x = (ptrdiff_t)top * k->x.rs + (ptrdiff_t)(first * k->stride_w - k->pad_left) * k->x.ps;
        int8_t *place = (int8_t *)nn_at(out, 0, y);
        for (int32_t q = 0; q < w;) {
            s->row = y;
            s->column = q;
            s->x = NULL;
            s->turn = turn;
            s->to = place;
            if (q >= from && q < to) {
                s->x = (const int8_t *)k->x.data + x;
                x += x_step;
            }
            if (++q < w) {
                place += y_step;
            } else if (y == last) {
                for (; s != spots + NN_PIXELS - 1; s++) {
                    s[1] = *s; // the last one several times
                }
            }
            if (++s == spots + NN_PIXELS) {
                s = spots;
                work_out(k, p, s, scratch);
            }
        }
    }
}

#endif
