"""Sums of products of patches and filters on Armv6-M: Cortex-M0 and M0+. The record: record.py.

The zero point is not taken from every element, but, times the sum of the weights, from the sum.
"""

import micropython


# The sums of the 4 patches at PATCH with CHANNELS filters from WEIGHTS on, each with its BIAS, to SUMS: 4 for each
# filter. r0 to r3: ends of patches, r4: of weights, r5: minus the elements to do, r8 to r11: sums, r12: of the
# weights, lr: the record.
@micropython.asm_thumb
def four_pixels(r0):
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    data(2, 0xB4F0)  # push {r4, r5, r6, r7}
    mov(lr, r0)
    ldr(r1, [r0, 8])  # CHANNELS
    str(r1, [r0, 100])  # channels to come
    ldr(r1, [r0, 16])  # BIAS
    str(r1, [r0, 104])  # the next bias
    ldr(r1, [r0, 60])  # SUMS
    str(r1, [r0, 108])  # where the next sums go
    ldr(r1, [r0, 12])  # WEIGHTS
    str(r1, [r0, 112])  # the end of the next filter
    label(FILTER)
    mov(r7, lr)
    ldr(r1, [r7, 104])  # the next bias
    ldr(r2, [r1, 0])
    add(r1, 4)
    str(r1, [r7, 104])  # the next bias
    mov(r8, r2)
    mov(r9, r2)
    mov(r10, r2)
    mov(r11, r2)
    mov(r5, 0)
    mov(r12, r5)
    ldr(r5, [r7, 4])  # SIZE
    ldr(r4, [r7, 112])  # the end of the next filter
    add(r4, r4, r5)
    str(r4, [r7, 112])  # the end of the next filter
    ldr(r0, [r7, 72])  # PATCH
    add(r0, r0, r5)
    ldr(r1, [r7, 76])  # PATCH + 1
    add(r1, r1, r5)
    ldr(r2, [r7, 80])  # PATCH + 2
    add(r2, r2, r5)
    ldr(r3, [r7, 84])  # PATCH + 3
    add(r3, r3, r5)
    neg(r5, r5)
    label(ELEMENT)
    data(2, 0x5766)  # ldrsb r6, [r4, r5]
    data(2, 0x44B4)  # add r12, r6
    data(2, 0x5747)  # ldrsb r7, [r0, r5]
    mul(r7, r6)
    data(2, 0x44B8)  # add r8, r7
    data(2, 0x574F)  # ldrsb r7, [r1, r5]
    mul(r7, r6)
    data(2, 0x44B9)  # add r9, r7
    data(2, 0x5757)  # ldrsb r7, [r2, r5]
    mul(r7, r6)
    data(2, 0x44BA)  # add r10, r7
    data(2, 0x575F)  # ldrsb r7, [r3, r5]
    mul(r7, r6)
    data(2, 0x44BB)  # add r11, r7
    add(r5, 1)
    bne(ELEMENT)
    mov(r7, lr)
    ldr(r5, [r7, 28])  # MINUS
    mov(r6, r12)
    mul(r5, r6)
    ldr(r6, [r7, 108])  # where the next sums go
    mov(r0, r8)
    add(r0, r0, r5)
    mov(r1, r9)
    add(r1, r1, r5)
    mov(r2, r10)
    add(r2, r2, r5)
    mov(r3, r11)
    add(r3, r3, r5)
    data(2, 0xC60F)  # stmia r6!, {r0, r1, r2, r3}
    str(r6, [r7, 108])  # where the next sums go
    ldr(r1, [r7, 100])  # channels to come
    sub(r1, 1)
    str(r1, [r7, 100])  # channels to come
    bne(FILTER)
    data(2, 0xBCF0)  # pop {r4, r5, r6, r7}
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    mov(r0, 0)


# The same for 1 patch.
@micropython.asm_thumb
def one_pixel(r0):
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    data(2, 0xB4F0)  # push {r4, r5, r6, r7}
    mov(lr, r0)
    ldr(r1, [r0, 8])  # CHANNELS
    str(r1, [r0, 100])  # channels to come
    ldr(r1, [r0, 16])  # BIAS
    str(r1, [r0, 104])  # the next bias
    ldr(r1, [r0, 60])  # SUMS
    str(r1, [r0, 108])  # where the next sums go
    ldr(r1, [r0, 12])  # WEIGHTS
    str(r1, [r0, 112])  # the end of the next filter
    label(FILTER)
    mov(r7, lr)
    ldr(r1, [r7, 104])  # the next bias
    ldr(r2, [r1, 0])
    add(r1, 4)
    str(r1, [r7, 104])  # the next bias
    mov(r8, r2)
    mov(r5, 0)
    mov(r12, r5)
    ldr(r5, [r7, 4])  # SIZE
    ldr(r4, [r7, 112])  # the end of the next filter
    add(r4, r4, r5)
    str(r4, [r7, 112])  # the end of the next filter
    ldr(r0, [r7, 72])  # PATCH
    add(r0, r0, r5)
    neg(r5, r5)
    label(ELEMENT)
    data(2, 0x5766)  # ldrsb r6, [r4, r5]
    data(2, 0x44B4)  # add r12, r6
    data(2, 0x5747)  # ldrsb r7, [r0, r5]
    mul(r7, r6)
    data(2, 0x44B8)  # add r8, r7
    add(r5, 1)
    bne(ELEMENT)
    mov(r7, lr)
    ldr(r5, [r7, 28])  # MINUS
    mov(r6, r12)
    mul(r5, r6)
    ldr(r6, [r7, 108])  # where the next sums go
    mov(r0, r8)
    add(r0, r0, r5)
    data(2, 0xC601)  # stmia r6!, {r0}
    str(r6, [r7, 108])  # where the next sums go
    ldr(r1, [r7, 100])  # channels to come
    sub(r1, 1)
    str(r1, [r7, 100])  # channels to come
    bne(FILTER)
    data(2, 0xBCF0)  # pop {r4, r5, r6, r7}
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    mov(r0, 0)
