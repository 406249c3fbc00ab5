// Arm's MPS2 boards: a UART, a timer of 25 MHz that counts down, and the end by semihosting.

#include "machine.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

extern uint32_t _estack, _sidata, _sdata, _edata, _sbss, _ebss;

void machine_print(const char *text) {
    for (; *text; text++) {
        REGISTER(0x40004000) = (uint8_t)*text;
    }
}

uint32_t machine_instructions(void) {
    // A tick is 40 ns, an instruction 128.
    return (uint32_t)(((uint64_t)(0xffffffffu - REGISTER(0x40000004)) * 40 + 64) / 128);
}

static void leave(int reason) {
    register int r0 __asm("r0") = 0x18;
    register int r1 __asm("r1") = reason;
    __asm volatile("bkpt 0xab" ::"r"(r0), "r"(r1) : "memory");
    for (;;) {
    }
}

static void fault(void) {
    machine_print("fault\n");
    leave(0x20023);
}

static void reset(void) {
    const uint32_t *from = &_sidata;
    for (uint32_t *to = &_sdata; to < &_edata; to++) {
        *to = *from++;
    }
    for (uint32_t *to = &_sbss; to < &_ebss; to++) {
        *to = 0;
    }
    REGISTER(0xe000ed88) = 0xf << 20; // floats, where there are any: their registers are room for others, too
    REGISTER(0x40004008) = 1; // the UART sends
    REGISTER(0x40000008) = 0xffffffffu;
    REGISTER(0x40000004) = 0xffffffffu;
    REGISTER(0x40000000) = 1; // the timer runs
    main();
    leave(0x20026);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    (void (*)(void))&_estack, reset, fault, fault, fault, fault, fault};
