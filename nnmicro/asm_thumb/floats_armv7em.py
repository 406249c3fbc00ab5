"""float32 to int8 and back on cores with the DSP extension and an FPU: Cortex-M4F, M7, M33. The words: crossing.py."""

import micropython


# COUNT float32 from X on, times the reciprocal of the scale, to the nearest integer, halves to the even one, kept
# between LOW and HIGH, a NaN as LOW, plus ZERO.
@micropython.asm_thumb
def to_int8(r0):
    ldr(r1, [r0, 4])  # X
    ldr(r2, [r0, 12])  # OUT
    ldr(r3, [r0, 20])  # LOW
    ldr(r4, [r0, 24])  # HIGH
    ldr(r5, [r0, 28])  # ZERO
    ldr(r7, [r0, 0])  # COUNT
    ldr(r6, [r0, 32])  # the parameters
    data(2, 0xED96, 0x0A00)  # vldr s0, [r6]
    data(2, 0xEEF7, 0x0A00)  # vmov.f32 s1, #1.0
    data(2, 0xEEC0, 0x0A80)  # vdiv.f32 s1, s1, s0
    label(ELEMENT)
    data(2, 0xED91, 0x1A00)  # vldr s2, [r1]
    data(2, 0xEE21, 0x1A20)  # vmul.f32 s2, s2, s1
    data(2, 0xEEB4, 0x1A41)  # vcmp.f32 s2, s2
    data(2, 0xEEF1, 0xFA10)  # vmrs APSR_nzcv, fpscr
    data(2, 0xEEBD, 0x1A41)  # vcvtr.s32.f32 s2, s2
    data(2, 0xEE11, 0x6A10)  # vmov r6, s2
    it(vs)
    mov(r6, r3)
    cmp(r6, r3)
    it(lt)
    mov(r6, r3)
    cmp(r6, r4)
    it(gt)
    mov(r6, r4)
    add(r6, r6, r5)
    strb(r6, [r2, 0])
    ldr(r6, [r0, 8])  # its step
    add(r1, r1, r6)
    ldr(r6, [r0, 16])  # its step
    add(r2, r2, r6)
    sub(r7, 1)
    bne(ELEMENT)
    mov(r0, 0)


# COUNT int8 from X on, less ZERO and times the scale; with BLOCKS, times the scale and less ZERO times the scale.
@micropython.asm_thumb
def to_float32(r0):
    ldr(r1, [r0, 4])  # X
    ldr(r2, [r0, 12])  # OUT
    ldr(r3, [r0, 8])  # X's step
    ldr(r4, [r0, 16])  # OUT's step
    ldr(r5, [r0, 28])  # ZERO
    ldr(r7, [r0, 0])  # COUNT
    ldr(r6, [r0, 32])  # the parameters
    data(2, 0xED96, 0x0A00)  # vldr s0, [r6]
    ldr(r6, [r0, 36])  # BLOCKS
    cmp(r6, 0)
    beq(ELEMENT)
    data(2, 0xF1C5, 0x0600)  # rsb r6, r5, #0
    data(2, 0xEE00, 0x6A90)  # vmov s1, r6
    data(2, 0xEEF8, 0x0AE0)  # vcvt.f32.s32 s1, s1
    data(2, 0xEE60, 0x0A80)  # vmul.f32 s1, s1, s0
    mov(r5, 0)
    label(ELEMENT)
    data(2, 0xF991, 0x6000)  # ldrsb r6, [r1]
    sub(r6, r6, r5)
    data(2, 0xEE01, 0x6A10)  # vmov s2, r6
    data(2, 0xEEB8, 0x1AC1)  # vcvt.f32.s32 s2, s2
    data(2, 0xEE21, 0x1A00)  # vmul.f32 s2, s2, s0
    ldr(r6, [r0, 36])  # BLOCKS
    cmp(r6, 0)
    beq(STORE)
    data(2, 0xEE31, 0x1A20)  # vadd.f32 s2, s2, s1
    label(STORE)
    data(2, 0xED82, 0x1A00)  # vstr s2, [r2]
    add(r1, r1, r3)
    add(r2, r2, r4)
    sub(r7, 1)
    bne(ELEMENT)
    mov(r0, 0)
