// What the int8 layers have in common.

#include "requantise.h"

// Whether nn_is_quick says so of all channels.
static int are_quick(const int32_t *bias, const int32_t *shift, int32_t count) {
    // Most is said at once: where a number's sign does not begin, and by the bits that all shifts have, which none is below.
    uint32_t signs = 0, common = ~0u;
    for (const int32_t *s = shift, *const end = bias + count; bias != end;) {
        const uint32_t value = (uint32_t)*bias++;
        signs |= value ^ value << 1;
        common &= (uint32_t)*s++;
    }
    int quick = signs < 2u * NN_QUICK_BIAS;
    for (int32_t i = 0; i < count && ~common >= NN_QUICK_RIGHT; i++) {
        quick &= nn_is_quick(0, shift[i]);
    }
    return quick;
}

int nn_channels_of(const nn_state *call, int64_t count, const int32_t *words, nn_channels *channels) {
    const void *data;
    channels->zero = words[0];
    channels->least = words[1];
    channels->most = words[2];
    if (!nn_is_int8(words[0]) || !nn_is_int8(words[1]) || !nn_is_int8(words[2])) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_constant(call, 2, NN_I32, count, &data));
    channels->bias = data;
    NN_TRY(nn_constant(call, 3, NN_I32, count, &data));
    channels->multiplier = data;
    NN_TRY(nn_constant(call, 4, NN_I32, count, &data));
    channels->shift = data;
    if (nn_is_proven(call)) {
        channels->quick = (*call->known & NN_QUICK) != 0;
        return NN_OK;
    }
    const int32_t *const shift = channels->shift;
    channels->quick = are_quick(channels->bias, shift, (int32_t)count); // they lie in a buffer
    for (int32_t i = 0; i < count && !channels->quick; i++) {
        if (shift[i] < NN_SHIFT_LEAST || shift[i] > NN_SHIFT_MOST) {
            return NN_BAD_DATA;
        }
    }
    if (call->known) {
        *call->known = (uint8_t)((*call->known & ~NN_QUICK) | (channels->quick ? NN_QUICK : 0));
    }
    return NN_OK;
}

int32_t nn_shift_left(int32_t value, int32_t shift) {
    return nn_saturate((int64_t)((uint64_t)(int64_t)value << shift));
}

int8_t nn_channel_result(const nn_channels *k, int32_t channel, uint32_t sum) {
    const int32_t value = (int32_t)(sum + (uint32_t)k->bias[channel]);
    nn_quick quick;
    if (nn_quick_of(k->multiplier[channel], k->shift[channel], k->zero, &quick) && nn_are_quick(value, value)) {
        return (int8_t)nn_min(nn_max(nn_quick_result(&quick, value, 0), k->least), k->most);
    }
    return nn_clamp(nn_multiply_up(value, k->multiplier[channel], k->shift[channel]), k->zero, k->least, k->most);
}

int8_t nn_channel_result_away(const nn_channels *k, int32_t channel, uint32_t sum) {
    const int32_t value = (int32_t)(sum + (uint32_t)k->bias[channel]);
    return nn_clamp(nn_multiply_away(value, k->multiplier[channel], k->shift[channel]), k->zero, k->least, k->most);
}

int32_t nn_round(float value, int32_t least, int32_t most, int to_even) {
    if (!(value > (float)(least - 1))) {
        return least;
    }
    if (value >= (float)(most + 1)) {
        return most;
    }
    int32_t whole = (int32_t)value;
    const float rest = value - (float)whole;
    const int half_counts = !to_even || (whole & 1);
    if (rest > 0.5f || (rest == 0.5f && half_counts)) {
        whole++;
    } else if (rest < -0.5f || (rest == -0.5f && half_counts)) {
        whole--;
    }
    return nn_min(nn_max(whole, least), most);
}
