"""Sums of products of patches and filters on Armv7-M without the DSP extension: Cortex-M3. The record: record.py.

The zero point is not taken from every element, but, times the sum of the weights, from the sum.
"""

import micropython


# The sums of the 4 patches at PATCH with CHANNELS filters from WEIGHTS on, each with its BIAS, to SUMS: 4 for each
# filter. 10 instructions for 4 products. r2 to r5: patches, r1: weights, r0: their sum, r8 to r11: sums, r12:
# elements to do, by fours and then one by one, lr: the record.
@micropython.asm_thumb
def four_pixels(r0):
    data(2, 0xE92D, 0x0F00)  # push {r8, r9, r10, r11}
    mov(lr, r0)
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
    data(2, 0xF8DE, 0x2048)  # ldr r2, [lr, #72] @ PATCH
    data(2, 0xF8DE, 0x304C)  # ldr r3, [lr, #76] @ PATCH + 1
    data(2, 0xF8DE, 0x4050)  # ldr r4, [lr, #80] @ PATCH + 2
    data(2, 0xF8DE, 0x5054)  # ldr r5, [lr, #84] @ PATCH + 3
    mov(r0, 0)
    data(2, 0xF8DE, 0xC004)  # ldr r12, [lr, #4] @ SIZE
    data(2, 0xEA5F, 0x0C9C)  # lsrs r12, r12, #2
    beq(REST)
    label(BLOCK)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    data(2, 0xF913, 0x7B01)  # ldrsb r7, [r3], #1
    data(2, 0xFB07, 0x9906)  # mla r9, r7, r6, r9
    data(2, 0xF914, 0x7B01)  # ldrsb r7, [r4], #1
    data(2, 0xFB07, 0xAA06)  # mla r10, r7, r6, r10
    data(2, 0xF915, 0x7B01)  # ldrsb r7, [r5], #1
    data(2, 0xFB07, 0xBB06)  # mla r11, r7, r6, r11
    add(r0, r0, r6)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    data(2, 0xF913, 0x7B01)  # ldrsb r7, [r3], #1
    data(2, 0xFB07, 0x9906)  # mla r9, r7, r6, r9
    data(2, 0xF914, 0x7B01)  # ldrsb r7, [r4], #1
    data(2, 0xFB07, 0xAA06)  # mla r10, r7, r6, r10
    data(2, 0xF915, 0x7B01)  # ldrsb r7, [r5], #1
    data(2, 0xFB07, 0xBB06)  # mla r11, r7, r6, r11
    add(r0, r0, r6)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    data(2, 0xF913, 0x7B01)  # ldrsb r7, [r3], #1
    data(2, 0xFB07, 0x9906)  # mla r9, r7, r6, r9
    data(2, 0xF914, 0x7B01)  # ldrsb r7, [r4], #1
    data(2, 0xFB07, 0xAA06)  # mla r10, r7, r6, r10
    data(2, 0xF915, 0x7B01)  # ldrsb r7, [r5], #1
    data(2, 0xFB07, 0xBB06)  # mla r11, r7, r6, r11
    add(r0, r0, r6)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    data(2, 0xF913, 0x7B01)  # ldrsb r7, [r3], #1
    data(2, 0xFB07, 0x9906)  # mla r9, r7, r6, r9
    data(2, 0xF914, 0x7B01)  # ldrsb r7, [r4], #1
    data(2, 0xFB07, 0xAA06)  # mla r10, r7, r6, r10
    data(2, 0xF915, 0x7B01)  # ldrsb r7, [r5], #1
    data(2, 0xFB07, 0xBB06)  # mla r11, r7, r6, r11
    add(r0, r0, r6)
    data(2, 0xF1BC, 0x0C01)  # subs r12, r12, #1
    bne(BLOCK)
    label(REST)
    data(2, 0xF8DE, 0xC004)  # ldr r12, [lr, #4] @ SIZE
    data(2, 0xF01C, 0x0C03)  # ands r12, r12, #3
    beq(STORE)
    label(TAIL)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    data(2, 0xF913, 0x7B01)  # ldrsb r7, [r3], #1
    data(2, 0xFB07, 0x9906)  # mla r9, r7, r6, r9
    data(2, 0xF914, 0x7B01)  # ldrsb r7, [r4], #1
    data(2, 0xFB07, 0xAA06)  # mla r10, r7, r6, r10
    data(2, 0xF915, 0x7B01)  # ldrsb r7, [r5], #1
    data(2, 0xFB07, 0xBB06)  # mla r11, r7, r6, r11
    add(r0, r0, r6)
    data(2, 0xF1BC, 0x0C01)  # subs r12, r12, #1
    bne(TAIL)
    label(STORE)
    data(2, 0xF8DE, 0x701C)  # ldr r7, [lr, #28] @ MINUS
    mul(r7, r0)
    data(2, 0x44B8)  # add r8, r7
    data(2, 0x44B9)  # add r9, r7
    data(2, 0x44BA)  # add r10, r7
    data(2, 0x44BB)  # add r11, r7
    data(2, 0xF8DE, 0x206C)  # ldr r2, [lr, #108] @ where the next sums go
    data(2, 0xE8A2, 0x0F00)  # stmia r2!, {r8, r9, r10, r11}
    data(2, 0xF8CE, 0x206C)  # str r2, [lr, #108] @ where the next sums go
    data(2, 0xF8DE, 0x2064)  # ldr r2, [lr, #100] @ channels to come
    sub(r2, 1)
    data(2, 0xF8CE, 0x2064)  # str r2, [lr, #100] @ channels to come
    bne_w(FILTER)
    data(2, 0xE8BD, 0x0F00)  # pop {r8, r9, r10, r11}
    mov(r0, 0)


# The same for 1 patch.
@micropython.asm_thumb
def one_pixel(r0):
    data(2, 0xE92D, 0x0F00)  # push {r8, r9, r10, r11}
    mov(lr, r0)
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
    data(2, 0xF8DE, 0x2048)  # ldr r2, [lr, #72] @ PATCH
    mov(r0, 0)
    data(2, 0xF8DE, 0xC004)  # ldr r12, [lr, #4] @ SIZE
    data(2, 0xEA5F, 0x0C9C)  # lsrs r12, r12, #2
    beq(REST)
    label(BLOCK)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    add(r0, r0, r6)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    add(r0, r0, r6)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    add(r0, r0, r6)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    add(r0, r0, r6)
    data(2, 0xF1BC, 0x0C01)  # subs r12, r12, #1
    bne(BLOCK)
    label(REST)
    data(2, 0xF8DE, 0xC004)  # ldr r12, [lr, #4] @ SIZE
    data(2, 0xF01C, 0x0C03)  # ands r12, r12, #3
    beq(STORE)
    label(TAIL)
    data(2, 0xF911, 0x6B01)  # ldrsb r6, [r1], #1
    data(2, 0xF912, 0x7B01)  # ldrsb r7, [r2], #1
    data(2, 0xFB07, 0x8806)  # mla r8, r7, r6, r8
    add(r0, r0, r6)
    data(2, 0xF1BC, 0x0C01)  # subs r12, r12, #1
    bne(TAIL)
    label(STORE)
    data(2, 0xF8DE, 0x701C)  # ldr r7, [lr, #28] @ MINUS
    mul(r7, r0)
    data(2, 0x44B8)  # add r8, r7
    data(2, 0xF8DE, 0x206C)  # ldr r2, [lr, #108] @ where the next sums go
    data(2, 0xF842, 0x8B04)  # str r8, [r2], #4
    data(2, 0xF8CE, 0x206C)  # str r2, [lr, #108] @ where the next sums go
    data(2, 0xF8DE, 0x2064)  # ldr r2, [lr, #100] @ channels to come
    sub(r2, 1)
    data(2, 0xF8CE, 0x2064)  # str r2, [lr, #100] @ channels to come
    bne_w(FILTER)
    data(2, 0xE8BD, 0x0F00)  # pop {r8, r9, r10, r11}
    mov(r0, 0)
