"""Depthwise sums on Armv7-M without the DSP extension: Cortex-M3. The record: record.py."""

import micropython


# Sums of COUNT pixels, X_STEP bytes apart, for all channels: BIAS, and for each pair of addresses from TAPS to
# TAPS_END, of x and of weights, their product. To SUMS, a pixel's next to the one before, SUM_STEP bytes between
# channels. 21 instructions for 4 channels of a tap; at least 4 channels. r5: how far in x, r7: the channel, r6: less
# the zero point, r8 to r11: sums, lr: the record.
@micropython.asm_thumb
def taps(r0):
    data(2, 0xE92D, 0x0F00)  # push {r8, r9, r10, r11}
    mov(lr, r0)
    ldr(r1, [r0, 0])  # COUNT
    str(r1, [r0, 100])  # pixels to come
    ldr(r1, [r0, 60])  # SUMS
    str(r1, [r0, 108])  # where the pixel's sums go
    mov(r1, 0)
    str(r1, [r0, 112])  # how far in x
    label(PIXEL)
    mov(r7, 0)
    label(FOUR)
    data(2, 0xF8DE, 0x2010)  # ldr r2, [lr, #16] @ BIAS
    data(2, 0xEB02, 0x0287)  # add r2, r2, r7, lsl #2
    data(2, 0xE892, 0x0F00)  # ldmia r2, {r8, r9, r10, r11}
    data(2, 0xF8DE, 0x5070)  # ldr r5, [lr, #112] @ how far in x
    add(r5, r5, r7)
    data(2, 0xF8DE, 0x601C)  # ldr r6, [lr, #28] @ MINUS
    data(2, 0xE9DE, 0x0116)  # ldrd r0, r1, [lr, #88] @ TAPS
    cmp(r0, r1)
    beq(STORE)
    label(TAP)
    data(2, 0xC80C)  # ldmia r0!, {r2, r3}
    add(r2, r2, r5)
    add(r3, r3, r7)
    data(2, 0xF992, 0x4000)  # ldrsb r4, [r2, #0]
    data(2, 0xF993, 0xC000)  # ldrsb r12, [r3, #0]
    add(r4, r4, r6)
    data(2, 0xFB04, 0x880C)  # mla r8, r4, r12, r8
    data(2, 0xF992, 0x4001)  # ldrsb r4, [r2, #1]
    data(2, 0xF993, 0xC001)  # ldrsb r12, [r3, #1]
    add(r4, r4, r6)
    data(2, 0xFB04, 0x990C)  # mla r9, r4, r12, r9
    data(2, 0xF992, 0x4002)  # ldrsb r4, [r2, #2]
    data(2, 0xF993, 0xC002)  # ldrsb r12, [r3, #2]
    add(r4, r4, r6)
    data(2, 0xFB04, 0xAA0C)  # mla r10, r4, r12, r10
    data(2, 0xF992, 0x4003)  # ldrsb r4, [r2, #3]
    data(2, 0xF993, 0xC003)  # ldrsb r12, [r3, #3]
    add(r4, r4, r6)
    data(2, 0xFB04, 0xBB0C)  # mla r11, r4, r12, r11
    cmp(r0, r1)
    bne(TAP)
    label(STORE)
    data(2, 0xF8DE, 0x206C)  # ldr r2, [lr, #108] @ where the pixel's sums go
    data(2, 0xF8DE, 0x3040)  # ldr r3, [lr, #64] @ SUM_STEP
    data(2, 0xFB07, 0x2203)  # mla r2, r7, r3, r2
    data(2, 0xF8C2, 0x8000)  # str r8, [r2]
    data(2, 0xF842, 0x9003)  # str r9, [r2, r3]
    data(2, 0xEB02, 0x0243)  # add r2, r2, r3, lsl #1
    data(2, 0xF8C2, 0xA000)  # str r10, [r2]
    data(2, 0xF842, 0xB003)  # str r11, [r2, r3]
    add(r7, 4)
    data(2, 0xF8DE, 0x3008)  # ldr r3, [lr, #8] @ CHANNELS
    sub(r3, r3, r7)
    beq(NEXT)
    cmp(r3, 4)
    bge_w(FOUR)
    # The last four once more, where there are fewer.
    add(r7, r7, r3)
    sub(r7, 4)
    b(FOUR)
    label(NEXT)
    data(2, 0xF8DE, 0x1070)  # ldr r1, [lr, #112] @ how far in x
    data(2, 0xF8DE, 0x2060)  # ldr r2, [lr, #96] @ X_STEP
    add(r1, r1, r2)
    data(2, 0xF8CE, 0x1070)  # str r1, [lr, #112] @ how far in x
    data(2, 0xF8DE, 0x106C)  # ldr r1, [lr, #108] @ where the pixel's sums go
    add(r1, 4)
    data(2, 0xF8CE, 0x106C)  # str r1, [lr, #108] @ where the pixel's sums go
    data(2, 0xF8DE, 0x1064)  # ldr r1, [lr, #100] @ pixels to come
    sub(r1, 1)
    data(2, 0xF8CE, 0x1064)  # str r1, [lr, #100] @ pixels to come
    bne_w(PIXEL)
    data(2, 0xE8BD, 0x0F00)  # pop {r8, r9, r10, r11}
    mov(r0, 0)
