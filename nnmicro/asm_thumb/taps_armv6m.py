"""Depthwise sums on Armv6-M: Cortex-M0 and M0+. The record: record.py."""

import micropython


# Sums of COUNT pixels, X_STEP bytes apart, for all channels: BIAS, and for each pair of addresses from TAPS to
# TAPS_END, of x and of weights, their product. To SUMS, a pixel's next to the one before, SUM_STEP bytes between
# channels. r4: the sum, r5: how far in x, r7: the channel, r6: less the zero point, r8: where the sum goes, lr: the
# record.
@micropython.asm_thumb
def taps(r0):
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    data(2, 0xB4F0)  # push {r4, r5, r6, r7}
    mov(lr, r0)
    ldr(r1, [r0, 0])  # COUNT
    str(r1, [r0, 100])  # pixels to come
    ldr(r1, [r0, 60])  # SUMS
    str(r1, [r0, 108])  # where the pixel's sums go
    mov(r1, 0)
    str(r1, [r0, 112])  # how far in x
    label(PIXEL)
    mov(r0, lr)
    mov(r7, 0)
    ldr(r1, [r0, 108])  # where the pixel's sums go
    mov(r8, r1)
    ldr(r1, [r0, 112])  # how far in x
    mov(r9, r1)
    ldr(r1, [r0, 64])  # SUM_STEP
    mov(r10, r1)
    ldr(r6, [r0, 28])  # MINUS
    label(CHANNEL)
    mov(r0, lr)
    ldr(r1, [r0, 16])  # BIAS
    lsl(r4, r7, 2)
    data(2, 0x590C)  # ldr r4, [r1, r4]
    mov(r5, r9)
    add(r5, r5, r7)
    ldr(r1, [r0, 92])  # TAPS_END
    ldr(r0, [r0, 88])  # TAPS
    cmp(r0, r1)
    beq(STORE)
    label(TAP)
    data(2, 0xC80C)  # ldmia r0!, {r2, r3}
    data(2, 0x5752)  # ldrsb r2, [r2, r5]
    data(2, 0x57DB)  # ldrsb r3, [r3, r7]
    add(r2, r2, r6)
    mul(r2, r3)
    add(r4, r4, r2)
    cmp(r0, r1)
    bne(TAP)
    label(STORE)
    mov(r1, r8)
    str(r4, [r1, 0])
    data(2, 0x44D0)  # add r8, r10
    add(r7, 1)
    mov(r0, lr)
    ldr(r1, [r0, 8])  # CHANNELS
    cmp(r7, r1)
    bne(CHANNEL)
    ldr(r1, [r0, 112])  # how far in x
    ldr(r2, [r0, 96])  # X_STEP
    add(r1, r1, r2)
    str(r1, [r0, 112])  # how far in x
    ldr(r1, [r0, 108])  # where the pixel's sums go
    add(r1, 4)
    str(r1, [r0, 108])  # where the pixel's sums go
    ldr(r1, [r0, 100])  # pixels to come
    sub(r1, 1)
    str(r1, [r0, 100])  # pixels to come
    bne(PIXEL)
    data(2, 0xBCF0)  # pop {r4, r5, r6, r7}
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    mov(r0, 0)
