// What the filters of an int8 convolution see, pixel by pixel, put into patches. Included by each kernel after the header
// that says how its patches lie: NN_PIXELS, NN_PIXEL_WORDS, NN_PATCH, nn_patch_fill, nn_patch_clear and nn_patch_end.

#ifndef NN_WINDOWS_INT8_H
#define NN_WINDOWS_INT8_H

#include "pixels_int8.h"

#if NN_LANES

// Elements [at, at + n) of a pixel's piece are those of x: into bytes, which are put into lanes when they are complete.
NN_INLINE void put(const nn_windows *k, const int8_t *x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
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
NN_INLINE void put(const nn_windows *k, const int8_t *x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
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

NN_INLINE void put(const nn_windows *k, const int8_t *x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
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
NN_NOINLINE void put_some(const nn_windows *k, const nn_spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch,
    int8_t *bytes) {
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
NN_NOINLINE void fill_inside(const nn_windows *k, const nn_spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
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
static void fill_all(const nn_windows *k, const nn_spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
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
NN_NOINLINE void fill(const nn_windows *k, const nn_spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
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
NN_NOINLINE void fill_window(const nn_windows *k, const int8_t *x, int32_t turn, uint32_t *patch) {
    const int32_t run = k->run, words = NN_PIXELS * run;
    const uint32_t minus = k->minus;
    for (uint32_t *const end = patch + NN_PIXELS * k->filter; patch != end; patch += words) {
        nn_patch_fill(patch, 0, x, run, minus);
        x += k->row_step - (--turn ? 0 : k->ring);
    }
}

#endif

// What the filters from channel `x` on see of the pixels, elements [at, at + n).
static void fill_all(const nn_windows *k, const nn_spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
    for (const nn_spot *const end = s + NN_PIXELS; s != end; s++, patch += NN_PIXEL_WORDS) {
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

#endif
