"""From sums to int8 on Armv7-M and above, which have Thumb-2. The record: record.py."""

import micropython


# The sums from SUMS on, SUM_STEP bytes from channel to channel, of CHANNELS channels and COUNT pixels: times the
# channel's MULTIPLIER and SHIFT, the first AWAY channels with halves up and others away from zero, kept between LOW
# and HIGH, ZERO added, stored OFFSET bytes behind the pixel's address in TABLE, and STEP more with each channel.
# Changes the sums. r0: sums, r3: addresses, r6: offset, r7: pixels to do, r8: multiplier, r9: shift to the right, r10
# to r12: ZERO, LOW and HIGH, lr: the record.
@micropython.asm_thumb
def results(r0):
    data(2, 0xE92D, 0x0F00)  # push {r8, r9, r10, r11}
    mov(lr, r0)
    ldr(r2, [r0, 20])  # MULTIPLIER
    str(r2, [r0, 104])  # the next multiplier and shift
    ldr(r2, [r0, 24])  # SHIFT
    str(r2, [r0, 108])  # the next shift
    ldr(r2, [r0, 60])  # SUMS
    str(r2, [r0, 112])  # the channel's sums
    ldr(r2, [r0, 52])  # AWAY
    str(r2, [r0, 116])  # channels to come that round up
    ldr(r2, [r0, 8])  # CHANNELS
    str(r2, [r0, 100])  # channels to come
    ldr(r6, [r0, 48])  # OFFSET
    add(r0, 32)
    data(2, 0xE890, 0x1C00)  # ldmia r0, {r10, r11, r12}
    label(CHANNEL)
    data(2, 0xE9DE, 0x231A)  # ldrd r2, r3, [lr, #104] @ the next multiplier and shift
    data(2, 0xF852, 0x8B04)  # ldr r8, [r2], #4
    data(2, 0xF853, 0x9B04)  # ldr r9, [r3], #4
    data(2, 0xE9CE, 0x231A)  # strd r2, r3, [lr, #104] @ the next multiplier and shift
    data(2, 0xF8DE, 0x0070)  # ldr r0, [lr, #112] @ the channel's sums
    data(2, 0xF8DE, 0x7000)  # ldr r7, [lr] @ COUNT
    data(2, 0xF1D9, 0x0900)  # rsbs r9, r9, #0
    data(2, 0xF1B9, 0x0F1F)  # cmp r9, #31
    bhi_w(OTHER)
    label(SHIFTED)
    # r1: -1 where halves go away from zero.
    data(2, 0xF8DE, 0x1074)  # ldr r1, [lr, #116] @ channels to come that round up
    sub(r1, 1)
    data(2, 0xF8CE, 0x1074)  # str r1, [lr, #116] @ channels to come that round up
    asr(r1, r1, 31)
    data(2, 0xF1B9, 0x0F00)  # cmp r9, #0
    bne(RIGHT)
    mov(r1, 0)
    label(RIGHT)
    data(2, 0xF8DE, 0x3038)  # ldr r3, [lr, #56] @ TABLE
    label(VALUE)
    data(2, 0xF850, 0x2B04)  # ldr r2, [r0], #4
    data(2, 0xFB82, 0x4508)  # smull r4, r5, r2, r8
    # Twice the product and a half: the upper word.
    add(r4, r4, r4)
    adc(r5, r5)
    add(r4, r4, r4)
    data(2, 0xF145, 0x0500)  # adc r5, r5, #0
    data(2, 0xEA01, 0x74E5)  # and r4, r1, r5, asr #31
    add(r5, r5, r4)
    # The bit shifted out last is what the shift is rounded by; a shift by none leaves this 0.
    add(r5, 0)
    data(2, 0xFA55, 0xF509)  # asrs r5, r5, r9
    data(2, 0xF145, 0x0500)  # adc r5, r5, #0
    data(2, 0x455D)  # cmp r5, r11
    it(lt)
    mov(r5, r11)
    data(2, 0x4565)  # cmp r5, r12
    it(gt)
    mov(r5, r12)
    data(2, 0x4455)  # add r5, r10
    data(2, 0xF853, 0x4B04)  # ldr r4, [r3], #4
    data(2, 0x55A5)  # strb r5, [r4, r6]
    sub(r7, 1)
    bne(VALUE)
    data(2, 0xF8DE, 0x0070)  # ldr r0, [lr, #112] @ the channel's sums
    data(2, 0xF8DE, 0x2040)  # ldr r2, [lr, #64] @ SUM_STEP
    add(r0, r0, r2)
    data(2, 0xF8CE, 0x0070)  # str r0, [lr, #112] @ the channel's sums
    data(2, 0xF8DE, 0x202C)  # ldr r2, [lr, #44] @ STEP
    add(r6, r6, r2)
    data(2, 0xF8DE, 0x2064)  # ldr r2, [lr, #100] @ channels to come
    sub(r2, 1)
    data(2, 0xF8CE, 0x2064)  # str r2, [lr, #100] @ channels to come
    bne_w(CHANNEL)
    b(END)
    label(OTHER)
    data(2, 0xF1B9, 0x0F00)  # cmp r9, #0
    blt(LEFT)
    data(2, 0xF04F, 0x091F)  # mov r9, #31
    b(SHIFTED)
    label(LEFT)
    # Few models have any: every value is shifted before, as far as a word goes.
    data(2, 0xF1C9, 0x0900)  # rsb r9, r9, #0
    data(2, 0xF1B9, 0x0F1F)  # cmp r9, #31
    ble(FITS)
    data(2, 0xF04F, 0x091F)  # mov r9, #31
    label(FITS)
    ldr(r2, [r0, 0])
    data(2, 0xFA02, 0xF409)  # lsl r4, r2, r9
    data(2, 0xFA44, 0xF509)  # asr r5, r4, r9
    cmp(r5, r2)
    beq(SAME)
    data(2, 0xF06F, 0x4400)  # mvn r4, #0x80000000
    data(2, 0xEA84, 0x74E2)  # eor r4, r4, r2, asr #31
    label(SAME)
    data(2, 0xF840, 0x4B04)  # str r4, [r0], #4
    sub(r7, 1)
    bne(FITS)
    data(2, 0xF04F, 0x0900)  # mov r9, #0
    data(2, 0xF8DE, 0x0070)  # ldr r0, [lr, #112] @ the channel's sums
    data(2, 0xF8DE, 0x7000)  # ldr r7, [lr] @ COUNT
    b(SHIFTED)
    label(END)
    data(2, 0xE8BD, 0x0F00)  # pop {r8, r9, r10, r11}
    mov(r0, 0)
