"""Sums of int8 elements of two scales on Armv7-M and above, which have Thumb-2. The words: binary_int8.py."""

import micropython


# Of COUNT elements of A and of B, less their zero points, shifted to the LEFT, times their multipliers, with halves
# away from zero: the sum of both, or with SIGN -1 the difference, to SUMS, and to TABLE the addresses from OUT on.
# r0, r1: elements, r12: where results go, r5: elements to do, lr: the words.
@micropython.asm_thumb
def sums(r0):
    data(2, 0xE92D, 0x0F00)  # push {r8, r9, r10, r11}
    add(r0, 128)
    mov(lr, r0)
    data(2, 0xE890, 0x1003)  # ldmia.w r0, {r0, r1, r12}
    data(2, 0xF8DE, 0x500C)  # ldr r5, [lr, #12] @ COUNT
    data(2, 0xF8DE, 0x6010)  # ldr r6, [lr, #16] @ SUMS
    data(2, 0xF8DE, 0x7014)  # ldr r7, [lr, #20] @ TABLE
    data(2, 0xF8DE, 0x8020)  # ldr r8, [lr, #32] @ A's multiplier
    data(2, 0xF8DE, 0x9024)  # ldr r9, [lr, #36] @ and shift to the right
    data(2, 0xF8DE, 0xA034)  # ldr r10, [lr, #52] @ B's multiplier
    data(2, 0xF8DE, 0xB038)  # ldr r11, [lr, #56] @ and shift to the right
    label(ELEMENT)
    data(2, 0xF847, 0xCB04)  # str r12, [r7], #4
    data(2, 0xF10C, 0x0C01)  # add r12, r12, #1
    data(2, 0xF910, 0x2B01)  # ldrsb r2, [r0], #1
    data(2, 0xF8DE, 0x301C)  # ldr r3, [lr, #28] @ MINUS
    add(r2, r2, r3)
    data(2, 0xF8DE, 0x3018)  # ldr r3, [lr, #24] @ LEFT
    data(2, 0x409A)  # lsls r2, r3
    data(2, 0xFB82, 0x3408)  # smull r3, r4, r2, r8
    add(r3, r3, r3)
    adc(r4, r4)
    add(r3, r3, r3)
    data(2, 0xF144, 0x0400)  # adc r4, r4, #0
    data(2, 0xF8DE, 0x3028)  # ldr r3, [lr, #40] @ AWAY
    data(2, 0xEA03, 0x73E4)  # and r3, r3, r4, asr #31
    add(r4, r4, r3)
    add(r4, 0)
    data(2, 0xFA54, 0xF409)  # asrs r4, r4, r9
    data(2, 0xF144, 0x0400)  # adc r4, r4, #0
    data(2, 0x6034)  # str r4, [r6]
    data(2, 0xF911, 0x2B01)  # ldrsb r2, [r1], #1
    data(2, 0xF8DE, 0x3030)  # ldr r3, [lr, #48] @ MINUS
    add(r2, r2, r3)
    data(2, 0xF8DE, 0x3018)  # ldr r3, [lr, #24] @ LEFT
    data(2, 0x409A)  # lsls r2, r3
    data(2, 0xFB82, 0x340A)  # smull r3, r4, r2, r10
    add(r3, r3, r3)
    adc(r4, r4)
    add(r3, r3, r3)
    data(2, 0xF144, 0x0400)  # adc r4, r4, #0
    data(2, 0xF8DE, 0x303C)  # ldr r3, [lr, #60] @ AWAY
    data(2, 0xEA03, 0x73E4)  # and r3, r3, r4, asr #31
    add(r4, r4, r3)
    add(r4, 0)
    data(2, 0xFA54, 0xF40B)  # asrs r4, r4, r11
    data(2, 0xF144, 0x0400)  # adc r4, r4, #0
    data(2, 0xF8DE, 0x302C)  # ldr r3, [lr, #44] @ SIGN
    eor(r4, r3)
    sub(r4, r4, r3)
    data(2, 0x6833)  # ldr r3, [r6]
    add(r4, r4, r3)
    data(2, 0xF846, 0x4B04)  # str r4, [r6], #4
    sub(r5, 1)
    bne(ELEMENT)
    data(2, 0xE8BD, 0x0F00)  # pop {r8, r9, r10, r11}
    mov(r0, 0)
