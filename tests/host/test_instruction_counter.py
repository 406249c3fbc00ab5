"""QEMU's plugin: small programs whose instructions are counted by hand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from firmware import qemu_plugin
from firmware.qemu_port import RECIPE

ARM = """
    .syntax unified
    .cpu cortex-m4
    .fpu fpv4-sp-d16
    .thumb
    .section .vectors, "a"
    .word 0x20010000, start + 1
    .text
    .thumb_func
start:
    ldr r0, =0xe000ed88
    movs r1, #0xf00000
    str r1, [r0]
    dsb
    isb
    ldr r4, =0x20000000
    add r5, r4, #64
    movs r2, #3
    movs r3, #4
    mov r9, r9
{program}
    mov r10, r10
    movs r0, #0x18
    ldr r1, =0x20026
    bkpt 0xab
halt:
    b halt
    .thumb_func
called:
    push {{r4, lr}}
    pop {{r4, pc}}
    .thumb_func
leaf:
    bx lr
"""
RISCV = """
    .section .start, "ax"
start:
    li s0, 0x80010000
    li s1, 0x00100000
    li t0, 3
    li t1, 4
    slti x0, x0, 9
{program}
    slti x0, x0, 10
    li a0, 0x5555
    sw a0, 0(s1)
halt:
    j halt
leaf:
    ret
"""
# A program, its instructions apart by semicolons, and what is counted in it.
CASES: dict[str, tuple[str, str, dict[str, int]]] = {
    "plain": (
        "arm",
        "adds r0, r2, r3; add.w r0, r2, r3, lsl #2; nop; cmp r2, r3; sxtb16 r0, r2; ssat r0, #8, r2; mrs r0, apsr",
        {"plain": 7},
    ),
    "a skipped instruction counts": (
        "arm",
        "cmp r2, r2; it ne; addne r2, r2, #1",
        {"plain": 3},
    ),
    "loads": (
        "arm",
        """ldr r0, [r4]; nop; ldrb r0, [r4, #1]; nop; ldrsh r0, [r4, r2]; nop; ldr.w r0, [r4, #4]!; nop; ldrsb.w
        r0, [r5, r2, lsl #1]; nop; ldr r0, [sp, #-8]; nop; ldr r0, =0x12345678; nop; vldr s0, [r4]; nop; ldrex
        r0, [r4]""",
        {"load": 9, "plain": 8},
    ),
    "loads in a row": (
        "arm",
        "ldr r0, [r4]; ldr r1, [r5]; ldr.w r8, [r4, #4]; ldrb r0, [r4, r2]",
        {"load": 1, "load_next": 3},
    ),
    "a load whose address was just loaded": (
        "arm",
        "str r5, [r4]; ldr r0, [r4]; ldr r0, [r0]; ldrb r1, [r4, r0]",
        {"store": 1, "load": 3},
    ),
    "stores": (
        "arm",
        "str r0, [r4]; strb r0, [r4, r2]; strh r0, [r4, #2]; str r0, [sp, #-8]; str.w r0, [r4], #4; vstr s0, [r4]",
        {"store": 6},
    ),
    "several words": (
        "arm",
        """ldm r4, {r0, r1, r2}; ldrd r0, r1, [r4]; ldmia.w r4, {r0, r8, r9, r10}; vldm r4, {s0-s4}; vldr d0, [r4];
        stm r4!, {r0, r1}; strd r0, r1, [r4], #8; push {r0, r1, r2}; pop {r0, r1, r2}; vpush {d8}; vpop {d8}""",
        {"load_many": 7, "store_many": 4, "words": 30},
    ),
    "a loop": (
        "arm",
        "movs r0, #10; 1: subs r0, #1; bne 1b",
        {"plain": 11, "branch": 10, "taken": 9},
    ),
    "the end of a page": (
        "arm",
        "b 1f; .balign 1024; .skip 1018; 1: nop; adds r0, r2, r3; add.w r0, r2, r3; nop",
        {"plain": 4, "branch": 1, "taken": 1},
    ),
    "branches": (
        "arm",
        """b 1f; 1: b.w 2f; nop; 2: cbz r2, 3f; nop; 3: cbnz r2, 4f; nop; 4: cmp r2, r3; beq.w 5f; 5: bne.w 6f;
        nop; 6: nop""",
        {"plain": 3, "branch": 6, "taken": 3},
    ),
    "calls": (
        "arm",
        "bl called; bl leaf; ldr r0, =leaf + 1; blx r0",
        {"branch": 5, "load": 1, "load_many": 1, "store_many": 1, "words": 4, "taken": 6},
    ),
    "a table of branches": (
        "arm",
        "movs r0, #1; tbb [pc, r0]; 1: .byte 1, 2; nop; 2: nop",
        {"plain": 2, "load": 1, "taken": 1},
    ),
    "products": (
        "arm",
        """muls r0, r2, r0; mul.w r0, r2, r3; smulbb r0, r2, r3; smuad r0, r2, r3; mla r0, r2, r3, r1; mls r0, r2,
        r3, r1; smlad r0, r2, r3, r1; smlabb r0, r2, r3, r1; smull r0, r1, r2, r3; umull r0, r1, r2, r3; smlal
        r0, r1, r2, r3; umlal r0, r1, r2, r3; umaal r0, r1, r2, r3; smlald r0, r1, r2, r3; smmul r0, r2, r3;
        sdiv r0, r2, r3; udiv r0, r2, r3""",
        {"multiply": 5, "multiply_add": 4, "multiply_long": 2, "multiply_long_add": 4, "divide": 2},
    ),
    "floats": (
        "arm",
        """vmov s0, r2; vcvt.f32.s32 s0, s0; vadd.f32 s1, s0, s0; vmul.f32 s1, s0, s0; vcmp.f32 s0, s1; vabs.f32
        s0, s0; vmov r0, r1, d0; vmrs apsr_nzcv, fpscr; vmla.f32 s2, s0, s1; vfma.f32 s2, s0, s1; vnmls.f32 s2,
        s0, s1; vfnma.f32 s2, s0, s1; vdiv.f32 s2, s0, s1; vsqrt.f32 s2, s0""",
        {"plain": 8, "float_multiply_add": 4, "float_divide": 2},
    ),
    "RISC-V": (
        "riscv",
        "add t2, t0, t1; c.li a0, 3; addi t2, t2, 2000; lui a0, 5; c.mv a1, a0; c.nop",
        {"plain": 6},
    ),
    "RISC-V loads and stores": (
        "riscv",
        """lw t2, 1000(s0); nop; c.lw a0, 0(s0); nop; lb a0, 0(s0); lbu a1, 1(s0); mv a2, s0; lw a3, 0(a2); lw a3,
        0(s0); sw s0, 4(s0); lw a4, 4(s0); lw a4, 0(a4); sb a0, 0(s0); c.sw a0, 4(s0); sh a0, 2(s0); mv sp, s0;
        c.swsp a0, 0(sp); c.lwsp a0, 0(sp)""",
        {"plain": 4, "load": 7, "load_next": 2, "store": 5},
    ),
    "RISC-V branches": (
        "riscv",
        """li a0, 5; 1: addi a0, a0, -1; bnez a0, 1b; call leaf; la a0, leaf; jalr a0; j 2f; nop; 2: beq t0, t1,
        3f; nop; 3: c.beqz a0, 4f; 4: blt t0, t1, 5f; nop; 5: c.j 6f; nop; 6: c.jal leaf""",
        {"plain": 10, "branch": 16, "taken": 13},
    ),
    "RISC-V products": (
        "riscv",
        """mul a0, t0, t1; mulh a0, t0, t1; mulhsu a0, t0, t1; mulhu a0, t0, t1; div a0, t0, t1; divu a0, t0, t1;
        rem a0, t0, t1; remu a0, t0, t1; add a0, t0, t1""",
        {"multiply": 1, "multiply_long": 3, "divide": 4, "plain": 1},
    ),
}
SYSTEMS = {
    "arm": (
        ARM,
        "arm-none-eabi-gcc",
        ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
        "cortex_m.ld",
        ("qemu-system-arm", "-machine", "mps2-an386", "-semihosting-config", "enable=on,target=native"),
    ),
    "riscv": (
        RISCV,
        "riscv64-unknown-elf-gcc",
        ("-march=rv32imc", "-mabi=ilp32"),
        "rv32.ld",
        ("qemu-system-riscv32", "-machine", "virt", "-bios", "none"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_instruction_is_in_its_class(name: str, tmp_path: Path) -> None:
    kind, program, expected = CASES[name]
    frame, compiler, flags, script, emulator = SYSTEMS[kind]
    lacking = [tool for tool in (compiler, emulator[0], "gcc") if not shutil.which(tool)]
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    source, elf, out = tmp_path / "program.S", tmp_path / "program.elf", tmp_path / "counts"
    source.write_text(frame.format(program="\n".join(" ".join(part.split()) for part in program.split(";"))))
    link = ["-nostdlib", "-T", str(RECIPE / script), "-Wl,--no-relax", "-Wl,-e,0"]
    subprocess.run([compiler, *flags, *link, str(source), "-o", str(elf)], check=True, timeout=60)
    run = [*emulator, *qemu_plugin.arguments(emulator[0], str(out)), "-display", "none", "-monitor", "none"]
    subprocess.run([*run, "-kernel", str(elf)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    (counted,) = qemu_plugin.counts(out.read_text())
    assert {name: count for name, count in counted.items() if count} == expected
