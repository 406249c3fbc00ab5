// QEMU's RISC-V board "virt": a UART, a clock of 10 MHz, and the end by its test device.

#include "machine.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

void machine_print(const char *text) {
    for (; *text; text++) {
        *(volatile uint8_t *)0x10000000 = (uint8_t)*text;
    }
}

uint32_t machine_instructions(void) {
    // A tick is 100 ns, an instruction 128.
    return (uint32_t)(((uint64_t)REGISTER(0x0200bff8) * 100 + 64) / 128);
}

__attribute__((used)) static void start(void) {
    main();
    REGISTER(0x00100000) = 0x5555;
    for (;;) {
    }
}

__attribute__((section(".start"), naked, used)) static void reset(void) {
    __asm volatile("la sp, _estack\n j start");
}
