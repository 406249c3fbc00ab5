// QEMU's RISC-V "virt" board: a 16550 UART behind a PLIC (interrupt 10), time from the CLINT.
#if defined(__riscv)

#include "py/mphal.h"

#include "machine.h"

#define UART(offset) (*(volatile uint8_t *)(0x10000000 + (offset)))
#define UART_DATA UART(0)
#define UART_INTERRUPT_ENABLE UART(1)
#define UART_FIFO_CONTROL UART(2)
#define UART_LINE_STATUS UART(5)
#define UART_RECEIVED (1 << 0)

#define PLIC(offset) REGISTER(0x0c000000 + (offset))
#define UART_IRQ (10)
#define PLIC_PRIORITY PLIC(4 * UART_IRQ)
#define PLIC_ENABLE PLIC(0x2000)
#define PLIC_CLAIM PLIC(0x200004)

#define TIME_LOW REGISTER(0x0200bff8) // 10 MHz
#define TIME_HIGH REGISTER(0x0200bffc)
#define TIME_TICK_NS (100)

#define MACHINE_EXTERNAL (11)
#define CAUSE_INTERRUPT (1u << 31)
#define READ_CSR(name, variable) __asm volatile ("csrr %0, " name : "=r" (variable))

static void uart_received(void) {
    uint32_t interrupt = PLIC_CLAIM;
    while (UART_LINE_STATUS & UART_RECEIVED) {
        if (!console_has_room()) {
            machine_receive_enable(false);
            break;
        }
        console_receive(UART_DATA);
    }
    PLIC_CLAIM = interrupt;
}

__attribute__((interrupt("machine"), aligned(4))) static void trap(void) {
    uint32_t cause, counter, value;
    READ_CSR("mcause", cause);
    if (cause == (CAUSE_INTERRUPT | MACHINE_EXTERNAL)) {
        uart_received();
        return;
    }
    READ_CSR("mepc", counter);
    READ_CSR("mtval", value);
    // The return address is gone by now: a function that is an interrupt's has saved it somewhere.
    board_fault("Exception", counter, 0, cause, value);
}

static uint64_t ticks_per_instruction = 1;

// With -icount the counter of retired instructions is exact, but not every version of QEMU counts by one: 7.2 counts
// the nanoseconds that an instruction stands for. So we run a known number of them.
static void measure_ticks(void) {
    uint32_t loops = 1000;
    uint64_t before = machine_ticks();
    __asm volatile ("1:\naddi %0, %0, -1\nbnez %0, 1b" : "+r" (loops));
    uint64_t ticks = (machine_ticks() - before) / 2000;
    if (ticks > 1) {
        ticks_per_instruction = ticks;
    }
}

void machine_init(void) {
    measure_ticks();
    __asm volatile ("csrw mtvec, %0" : : "r" (trap));
    PLIC_PRIORITY = 1;
    PLIC_ENABLE = 1 << UART_IRQ;
    UART_FIFO_CONTROL = 1;
    machine_receive_enable(true);
    __asm volatile ("csrs mie, %0\ncsrsi mstatus, 8" : : "r" (1 << MACHINE_EXTERNAL));
}

uint64_t machine_ticks(void) {
    uint32_t low, high, again;
    do {
        READ_CSR("minstreth", high);
        READ_CSR("minstret", low);
        READ_CSR("minstreth", again);
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

uint64_t machine_instructions(uint64_t ticks) {
    return ticks / ticks_per_instruction;
}

uint64_t machine_time_ns(void) {
    uint32_t low, high;
    do {
        high = TIME_HIGH;
        low = TIME_LOW;
    } while (high != TIME_HIGH);
    return ((uint64_t)high << 32 | low) * TIME_TICK_NS;
}

void machine_receive_enable(bool enable) {
    UART_INTERRUPT_ENABLE = enable;
}

void machine_sleep(void) {
    __asm volatile ("wfi" : : : "memory");
}

int machine_semihosting(uint32_t operation, const void *argument) {
    register uint32_t a0 __asm ("a0") = operation;
    register const void *a1 __asm ("a1") = argument;
    // The three instructions that mean a semihosting call, uncompressed and within one page.
    __asm volatile (
        ".option push\n.option norvc\n.balign 16\n"
        "slli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n"
        ".option pop"
        : "+r" (a0) : "r" (a1) : "memory");
    return a0;
}

#endif
