"""From sums to int8 on Armv6-M. The record: record.py."""

import micropython


# The sums from SUMS on, SUM_STEP bytes from channel to channel, of CHANNELS channels and COUNT pixels: times the
# channel's MULTIPLIER and SHIFT, the first AWAY channels with halves up and others away from zero, kept between LOW
# and HIGH, ZERO added, stored OFFSET bytes behind the pixel's address in TABLE, and STEP more with each channel.
# Changes the sums. r0: sums, r6: offset, r7: the record, r8 and r9: halves of the multiplier, r10: shift to the
# right, r11: addresses, lr: their end.
@micropython.asm_thumb
def results(r0):
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    data(2, 0xB4F0)  # push {r4, r5, r6, r7}
    mov(r7, r0)
    ldr(r1, [r7, 20])  # MULTIPLIER
    str(r1, [r7, 104])  # the next multiplier
    ldr(r1, [r7, 24])  # SHIFT
    str(r1, [r7, 108])  # the next shift
    ldr(r1, [r7, 60])  # SUMS
    str(r1, [r7, 112])  # the channel's sums
    ldr(r1, [r7, 52])  # AWAY
    str(r1, [r7, 116])  # channels to come that round up
    ldr(r1, [r7, 8])  # CHANNELS
    str(r1, [r7, 100])  # channels to come
    ldr(r6, [r7, 48])  # OFFSET
    ldr(r1, [r7, 0])  # COUNT
    ldr(r2, [r7, 56])  # TABLE
    lsl(r1, r1, 2)
    add(r1, r1, r2)
    mov(lr, r1)
    label(CHANNEL)
    ldr(r1, [r7, 104])  # the next multiplier
    data(2, 0xC904)  # ldmia r1!, {r2}
    str(r1, [r7, 104])  # the next multiplier
    data(2, 0xB293)  # uxth r3, r2
    mov(r8, r3)
    lsr(r2, r2, 16)
    mov(r9, r2)
    ldr(r1, [r7, 108])  # the next shift
    data(2, 0xC904)  # ldmia r1!, {r2}
    str(r1, [r7, 108])  # the next shift
    ldr(r0, [r7, 112])  # the channel's sums
    ldr(r1, [r7, 56])  # TABLE
    mov(r11, r1)
    neg(r2, r2)
    cmp(r2, 31)
    bhi(OTHER)
    label(SHIFTED)
    mov(r10, r2)
    # r12: -1 where halves go away from zero.
    ldr(r1, [r7, 116])  # channels to come that round up
    sub(r1, 1)
    str(r1, [r7, 116])  # channels to come that round up
    asr(r1, r1, 31)
    cmp(r2, 0)
    bne(RIGHT)
    mov(r1, 0)
    label(RIGHT)
    mov(r12, r1)
    label(VALUE)
    # The 64-bit product of halves: r1 and r2 of the value, r8 and r9 of the multiplier.
    data(2, 0xC802)  # ldmia r0!, {r1}
    data(2, 0xB28A)  # uxth r2, r1
    asr(r1, r1, 16)
    mov(r3, r9)
    mov(r4, r3)
    mul(r4, r2)
    mul(r3, r1)
    lsl(r3, r3, 1)
    mov(r5, r8)
    mul(r2, r5)
    lsr(r2, r2, 16)
    mul(r1, r5)
    asr(r5, r1, 15)
    add(r3, r3, r5)
    lsr(r5, r4, 15)
    add(r3, r3, r5)
    lsl(r1, r1, 17)
    lsr(r1, r1, 17)
    lsl(r4, r4, 17)
    lsr(r4, r4, 17)
    add(r1, r1, r4)
    add(r1, r1, r2)
    mov(r4, 1)
    lsl(r4, r4, 14)
    add(r1, r1, r4)
    lsr(r1, r1, 15)
    add(r3, r3, r1)
    asr(r1, r3, 31)
    mov(r4, r12)
    and_(r1, r4)
    add(r3, r3, r1)
    # The bit shifted out last is what the shift is rounded by.
    mov(r5, r10)
    mov(r4, 0)
    cmp(r5, 0)
    beq(WHOLE)
    asr(r3, r5)
    adc(r3, r4)
    label(WHOLE)
    ldr(r4, [r7, 36])  # LOW
    cmp(r3, r4)
    bge(LOW)
    mov(r3, r4)
    label(LOW)
    ldr(r4, [r7, 40])  # HIGH
    cmp(r3, r4)
    ble(HIGH)
    mov(r3, r4)
    label(HIGH)
    ldr(r4, [r7, 32])  # ZERO
    add(r3, r3, r4)
    mov(r5, r11)
    data(2, 0xCD10)  # ldmia r5!, {r4}
    mov(r11, r5)
    data(2, 0x55A3)  # strb r3, [r4, r6]
    data(2, 0x4575)  # cmp r5, lr
    bne(VALUE)
    ldr(r0, [r7, 112])  # the channel's sums
    ldr(r1, [r7, 64])  # SUM_STEP
    add(r0, r0, r1)
    str(r0, [r7, 112])  # the channel's sums
    ldr(r1, [r7, 44])  # STEP
    add(r6, r6, r1)
    ldr(r1, [r7, 100])  # channels to come
    sub(r1, 1)
    str(r1, [r7, 100])  # channels to come
    beq(END)
    b(CHANNEL)
    label(OTHER)
    cmp(r2, 0)
    blt(LEFT)
    mov(r2, 31)
    b(SHIFTED)
    label(LEFT)
    # Few models have any: every value is shifted before, as far as a word goes.
    neg(r2, r2)
    cmp(r2, 31)
    ble(FITS)
    mov(r2, 31)
    label(FITS)
    ldr(r1, [r0, 0])
    mov(r3, r1)
    lsl(r3, r2)
    mov(r4, r3)
    asr(r4, r2)
    cmp(r4, r1)
    beq(SAME)
    asr(r4, r1, 31)
    mov(r3, 1)
    lsl(r3, r3, 31)
    mvn(r3, r3)
    eor(r3, r4)
    label(SAME)
    data(2, 0xC008)  # stmia r0!, {r3}
    mov(r5, r11)
    add(r5, 4)
    mov(r11, r5)
    data(2, 0x4575)  # cmp r5, lr
    bne(FITS)
    mov(r2, 0)
    ldr(r0, [r7, 112])  # the channel's sums
    ldr(r1, [r7, 56])  # TABLE
    mov(r11, r1)
    b(SHIFTED)
    label(END)
    data(2, 0xBCF0)  # pop {r4, r5, r6, r7}
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    mov(r0, 0)
