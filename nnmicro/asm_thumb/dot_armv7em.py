"""Sums of products of patches and filters on cores with the DSP extension: Cortex-M4, M7, M33.

The first thing that is done is to widen the patches, once for all filters: two elements, less the zero point, in a
word, the words as SXTB16 makes them of four weights. The record: record.py.
"""

import micropython


# The patches at PATCH to WIDE, for 4 pixels or, where COUNT is 1, for one: for every four elements two words of each
# patch, elements 0 and 2, 1 and 3. Where SIZE (at least 4) is no multiple of 4, the last four elements follow once
# more, without those that were there already. r3: x, r4: where to, r5: groups of four, r6: less the zero point,
# twice.
@micropython.asm_thumb
def widen(r0):
    data(2, 0xE92D, 0x0F00)  # push {r8, r9, r10, r11}
    ldr(r1, [r0, 4])  # SIZE
    ldr(r6, [r0, 28])  # MINUS
    data(2, 0xEAC6, 0x4606)  # pkhbt r6, r6, r6, lsl #16
    # r7: from a group to the next; r8: patches to do
    mov(r7, 8)
    data(2, 0xF04F, 0x0801)  # mov r8, #1
    ldr(r2, [r0, 0])  # COUNT
    cmp(r2, 1)
    beq(ONE)
    mov(r7, 32)
    mov(r2, 4)
    mov(r8, r2)
    label(ONE)
    ldr(r2, [r0, 68])  # WIDE
    mov(r9, r2)
    add(r0, 72)
    mov(r10, r0)
    label(PATCH)
    data(2, 0xF85A, 0x3B04)  # ldr r3, [r10], #4
    mov(r4, r9)
    data(2, 0xF109, 0x0908)  # add r9, r9, #8
    lsr(r5, r1, 2)
    label(GROUP)
    data(2, 0xF853, 0x2B04)  # ldr r2, [r3], #4
    data(2, 0xFA26, 0xF082)  # sxtab16 r0, r6, r2
    data(2, 0xFA26, 0xF292)  # sxtab16 r2, r6, r2, ror #8
    data(2, 0xE9C4, 0x0200)  # strd r0, r2, [r4]
    add(r4, r4, r7)
    sub(r5, 1)
    bne(GROUP)
    mov(r5, 3)
    and_(r5, r1)
    beq(NEXT)
    # The last four elements once more: those that were there already become 0.
    add(r3, r3, r5)
    sub(r3, 4)
    ldr(r2, [r3, 0])
    data(2, 0xFA26, 0xF082)  # sxtab16 r0, r6, r2
    data(2, 0xFA26, 0xF292)  # sxtab16 r2, r6, r2, ror #8
    lsr(r0, r0, 16)
    lsl(r0, r0, 16)
    cmp(r5, 3)
    beq(THERE)
    lsr(r2, r2, 16)
    lsl(r2, r2, 16)
    cmp(r5, 2)
    beq(THERE)
    mov(r0, 0)
    label(THERE)
    data(2, 0xE9C4, 0x0200)  # strd r0, r2, [r4]
    label(NEXT)
    data(2, 0xF1B8, 0x0801)  # subs r8, r8, #1
    bne(PATCH)
    data(2, 0xE8BD, 0x0F00)  # pop {r8, r9, r10, r11}
    mov(r0, 0)


# The sums of 4 patches with CHANNELS filters from WEIGHTS on, each with its BIAS, to SUMS: 4 for each filter. 13
# instructions for 16 products. r0: patches, r1: weights, r8 to r11: sums, r12: groups to do, lr: the record.
@micropython.asm_thumb
def four_pixels(r0):
    data(2, 0xE92D, 0x0F00)  # push {r8, r9, r10, r11}
    mov(lr, r0)
    # ADJUST: how far the last group lies over the one before; BLOCKS of 16 elements, and the groups of the TAIL.
    ldr(r2, [r0, 4])  # SIZE
    mov(r4, 3)
    mov(r3, r2)
    and_(r3, r4)
    mov(r5, 4)
    sub(r3, r5, r3)
    and_(r3, r4)
    str(r3, [r0, 112])  # ADJUST
    lsr(r3, r2, 4)
    str(r3, [r0, 116])  # BLOCKS
    add(r2, 3)
    lsr(r2, r2, 2)
    lsl(r3, r3, 2)
    sub(r2, r2, r3)
    str(r2, [r0, 120])  # TAIL
    ldr(r2, [r0, 8])  # CHANNELS
    str(r2, [r0, 100])  # channels to come
    ldr(r2, [r0, 16])  # BIAS
    str(r2, [r0, 104])  # the next bias
    ldr(r2, [r0, 60])  # SUMS
    str(r2, [r0, 108])  # where the next sums go
    ldr(r1, [r0, 12])  # WEIGHTS
    label(FILTER)
    data(2, 0xF8DE, 0x2068)  # ldr r2, [lr, #104] @ the next bias
    data(2, 0xF852, 0x8B04)  # ldr r8, [r2], #4
    data(2, 0xF8CE, 0x2068)  # str r2, [lr, #104] @ the next bias
    mov(r9, r8)
    mov(r10, r8)
    mov(r11, r8)
    data(2, 0xF8DE, 0x0044)  # ldr r0, [lr, #68] @ WIDE
    data(2, 0xF8DE, 0xC074)  # ldr r12, [lr, #116] @ BLOCKS
    data(2, 0xF1BC, 0x0F00)  # cmp r12, #0
    beq(REST)
    label(BLOCK)
    # Elements 0 to 3
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB22, 0x8806)  # smlad r8, r2, r6, r8
    data(2, 0xFB24, 0x9906)  # smlad r9, r4, r6, r9
    data(2, 0xFB23, 0x8807)  # smlad r8, r3, r7, r8
    data(2, 0xFB25, 0x9907)  # smlad r9, r5, r7, r9
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFB22, 0xAA06)  # smlad r10, r2, r6, r10
    data(2, 0xFB24, 0xBB06)  # smlad r11, r4, r6, r11
    data(2, 0xFB23, 0xAA07)  # smlad r10, r3, r7, r10
    data(2, 0xFB25, 0xBB07)  # smlad r11, r5, r7, r11
    # 4 to 7
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB22, 0x8806)  # smlad r8, r2, r6, r8
    data(2, 0xFB24, 0x9906)  # smlad r9, r4, r6, r9
    data(2, 0xFB23, 0x8807)  # smlad r8, r3, r7, r8
    data(2, 0xFB25, 0x9907)  # smlad r9, r5, r7, r9
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFB22, 0xAA06)  # smlad r10, r2, r6, r10
    data(2, 0xFB24, 0xBB06)  # smlad r11, r4, r6, r11
    data(2, 0xFB23, 0xAA07)  # smlad r10, r3, r7, r10
    data(2, 0xFB25, 0xBB07)  # smlad r11, r5, r7, r11
    # 8 to 11
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB22, 0x8806)  # smlad r8, r2, r6, r8
    data(2, 0xFB24, 0x9906)  # smlad r9, r4, r6, r9
    data(2, 0xFB23, 0x8807)  # smlad r8, r3, r7, r8
    data(2, 0xFB25, 0x9907)  # smlad r9, r5, r7, r9
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFB22, 0xAA06)  # smlad r10, r2, r6, r10
    data(2, 0xFB24, 0xBB06)  # smlad r11, r4, r6, r11
    data(2, 0xFB23, 0xAA07)  # smlad r10, r3, r7, r10
    data(2, 0xFB25, 0xBB07)  # smlad r11, r5, r7, r11
    # 12 to 15
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB22, 0x8806)  # smlad r8, r2, r6, r8
    data(2, 0xFB24, 0x9906)  # smlad r9, r4, r6, r9
    data(2, 0xFB23, 0x8807)  # smlad r8, r3, r7, r8
    data(2, 0xFB25, 0x9907)  # smlad r9, r5, r7, r9
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFB22, 0xAA06)  # smlad r10, r2, r6, r10
    data(2, 0xFB24, 0xBB06)  # smlad r11, r4, r6, r11
    data(2, 0xFB23, 0xAA07)  # smlad r10, r3, r7, r10
    data(2, 0xFB25, 0xBB07)  # smlad r11, r5, r7, r11
    data(2, 0xF1BC, 0x0C01)  # subs r12, r12, #1
    bne_w(BLOCK)
    label(REST)
    data(2, 0xF8DE, 0xC078)  # ldr r12, [lr, #120] @ TAIL
    data(2, 0xF1BC, 0x0F00)  # cmp r12, #0
    beq(STORE)
    label(TAIL)
    data(2, 0xF8DE, 0x2070)  # ldr r2, [lr, #112] @ ADJUST
    data(2, 0xF1BC, 0x0F01)  # cmp r12, #1
    bne(WHOLE)
    sub(r1, r1, r2)
    label(WHOLE)
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB22, 0x8806)  # smlad r8, r2, r6, r8
    data(2, 0xFB24, 0x9906)  # smlad r9, r4, r6, r9
    data(2, 0xFB23, 0x8807)  # smlad r8, r3, r7, r8
    data(2, 0xFB25, 0x9907)  # smlad r9, r5, r7, r9
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xFB22, 0xAA06)  # smlad r10, r2, r6, r10
    data(2, 0xFB24, 0xBB06)  # smlad r11, r4, r6, r11
    data(2, 0xFB23, 0xAA07)  # smlad r10, r3, r7, r10
    data(2, 0xFB25, 0xBB07)  # smlad r11, r5, r7, r11
    data(2, 0xF1BC, 0x0C01)  # subs r12, r12, #1
    bne(TAIL)
    label(STORE)
    data(2, 0xF8DE, 0x206C)  # ldr r2, [lr, #108] @ where the next sums go
    data(2, 0xE8A2, 0x0F00)  # stmia r2!, {r8, r9, r10, r11}
    data(2, 0xF8CE, 0x206C)  # str r2, [lr, #108] @ where the next sums go
    data(2, 0xF8DE, 0x2064)  # ldr r2, [lr, #100] @ channels to come
    sub(r2, 1)
    data(2, 0xF8CE, 0x2064)  # str r2, [lr, #100] @ channels to come
    bne_w(FILTER)
    data(2, 0xE8BD, 0x0F00)  # pop {r8, r9, r10, r11}
    mov(r0, 0)


# The same for 1 patch: 11 instructions for 8 products. r8, r9: halves of the sum.
@micropython.asm_thumb
def one_pixel(r0):
    data(2, 0xE92D, 0x0F00)  # push {r8, r9, r10, r11}
    mov(lr, r0)
    # ADJUST: how far the last group lies over the one before; BLOCKS of 16 elements, and the groups of the TAIL.
    ldr(r2, [r0, 4])  # SIZE
    mov(r4, 3)
    mov(r3, r2)
    and_(r3, r4)
    mov(r5, 4)
    sub(r3, r5, r3)
    and_(r3, r4)
    str(r3, [r0, 112])  # ADJUST
    lsr(r3, r2, 4)
    str(r3, [r0, 116])  # BLOCKS
    add(r2, 3)
    lsr(r2, r2, 2)
    lsl(r3, r3, 2)
    sub(r2, r2, r3)
    str(r2, [r0, 120])  # TAIL
    ldr(r2, [r0, 8])  # CHANNELS
    str(r2, [r0, 100])  # channels to come
    ldr(r2, [r0, 16])  # BIAS
    str(r2, [r0, 104])  # the next bias
    ldr(r2, [r0, 60])  # SUMS
    str(r2, [r0, 108])  # where the next sums go
    ldr(r1, [r0, 12])  # WEIGHTS
    label(FILTER)
    data(2, 0xF8DE, 0x2068)  # ldr r2, [lr, #104] @ the next bias
    data(2, 0xF852, 0x8B04)  # ldr r8, [r2], #4
    data(2, 0xF8CE, 0x2068)  # str r2, [lr, #104] @ the next bias
    mov(r2, 0)
    mov(r9, r2)
    data(2, 0xF8DE, 0x0044)  # ldr r0, [lr, #68] @ WIDE
    data(2, 0xF8DE, 0xC074)  # ldr r12, [lr, #116] @ BLOCKS
    data(2, 0xF1BC, 0x0F00)  # cmp r12, #0
    beq(REST)
    label(BLOCK)
    # Elements 0 to 7
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB22, 0x8806)  # smlad r8, r2, r6, r8
    data(2, 0xFB23, 0x9907)  # smlad r9, r3, r7, r9
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB24, 0x8806)  # smlad r8, r4, r6, r8
    data(2, 0xFB25, 0x9907)  # smlad r9, r5, r7, r9
    # 8 to 15
    data(2, 0xC83C)  # ldmia r0!, {r2, r3, r4, r5}
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB22, 0x8806)  # smlad r8, r2, r6, r8
    data(2, 0xFB23, 0x9907)  # smlad r9, r3, r7, r9
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB24, 0x8806)  # smlad r8, r4, r6, r8
    data(2, 0xFB25, 0x9907)  # smlad r9, r5, r7, r9
    data(2, 0xF1BC, 0x0C01)  # subs r12, r12, #1
    bne_w(BLOCK)
    label(REST)
    data(2, 0xF8DE, 0xC078)  # ldr r12, [lr, #120] @ TAIL
    data(2, 0xF1BC, 0x0F00)  # cmp r12, #0
    beq(STORE)
    label(TAIL)
    data(2, 0xF8DE, 0x2070)  # ldr r2, [lr, #112] @ ADJUST
    data(2, 0xF1BC, 0x0F01)  # cmp r12, #1
    bne(WHOLE)
    sub(r1, r1, r2)
    label(WHOLE)
    data(2, 0xF851, 0x7B04)  # ldr r7, [r1], #4
    data(2, 0xC80C)  # ldmia r0!, {r2, r3}
    data(2, 0xFA2F, 0xF687)  # sxtb16 r6, r7
    data(2, 0xFA2F, 0xF797)  # sxtb16 r7, r7, ror #8
    data(2, 0xFB22, 0x8806)  # smlad r8, r2, r6, r8
    data(2, 0xFB23, 0x9907)  # smlad r9, r3, r7, r9
    data(2, 0xF1BC, 0x0C01)  # subs r12, r12, #1
    bne(TAIL)
    label(STORE)
    data(2, 0xF8DE, 0x206C)  # ldr r2, [lr, #108] @ where the next sums go
    data(2, 0x44C8)  # add r8, r9
    data(2, 0xF842, 0x8B04)  # str r8, [r2], #4
    data(2, 0xF8CE, 0x206C)  # str r2, [lr, #108] @ where the next sums go
    data(2, 0xF8DE, 0x2064)  # ldr r2, [lr, #100] @ channels to come
    sub(r2, 1)
    data(2, 0xF8CE, 0x2064)  # str r2, [lr, #100] @ channels to come
    bne_w(FILTER)
    data(2, 0xE8BD, 0x0F00)  # pop {r8, r9, r10, r11}
    mov(r0, 0)
