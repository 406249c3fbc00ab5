// Arm's MPS2 boards: CMSDK UART 0 and timer 0 (Arm's "Cortex-M System Design Kit", DDI 0479), interrupts 0 and 8.
#if defined(__arm__)

#include "py/mphal.h"

#include "machine.h"

#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CTRL REGISTER(0x40004008)
#define UART_INTERRUPT REGISTER(0x4000400c)
#define UART_STATE_RECEIVED (1 << 1)
#define UART_CTRL_RECEIVE_INTERRUPT (1 << 3)
#define UART_INTERRUPT_RECEIVED (1 << 1)

#define TIMER_CTRL REGISTER(0x40000000)
#define TIMER_VALUE REGISTER(0x40000004)
#define TIMER_RELOAD REGISTER(0x40000008)
#define TIMER_INTERRUPT REGISTER(0x4000000c)
#define TIMER_CTRL_ENABLE (1 << 0)
#define TIMER_CTRL_INTERRUPT (1 << 3)
#define TIMER_TICK_NS (40)
#define INSTRUCTION_NS (128) // what QEMU's -icount shift=7 means

#define NVIC_ENABLE REGISTER(0xe000e100)
#define NVIC_DISABLE REGISTER(0xe000e180)
#define UART_IRQ (0)
#define TIMER_IRQ (8)
#define COPROCESSOR_ACCESS REGISTER(0xe000ed88)
#define FAULT_STATUS REGISTER(0xe000ed28)
#define FAULT_ADDRESS REGISTER(0xe000ed38)

static uint32_t wraps; // of the timer, which counts 2**32 down in 172 s

static void uart_received(void) {
    while (UART_STATE & UART_STATE_RECEIVED) {
        if (!console_has_room()) {
            NVIC_DISABLE = 1 << UART_IRQ; // the byte stays where it is, and QEMU keeps the rest
            return;
        }
        // Before the byte is taken: the next one may be there right after that, and its interrupt has to stay.
        UART_INTERRUPT = UART_INTERRUPT_RECEIVED;
        console_receive(UART_DATA);
    }
}

static void timer_wrapped(void) {
    TIMER_INTERRUPT = 1;
    wraps++;
}

__attribute__((used)) static void report_fault(const uint32_t *frame) {
    board_fault("Hard fault", frame[6], frame[5], FAULT_STATUS, FAULT_ADDRESS);
}

__attribute__((naked)) static void fault(void) {
    __asm volatile ("mrs r0, msp\nb report_fault");
}

extern uint32_t _estack;
void Reset_Handler(void);

static void (*const vectors[16 + TIMER_IRQ + 1])(void) __attribute__((section(".vectors"), used)) = {
    [0] = (void (*)(void))&_estack,
    [1] = Reset_Handler,
    [2 ... 15] = fault,
    [16 + UART_IRQ] = uart_received,
    [16 + TIMER_IRQ] = timer_wrapped,
};

void machine_init(void) {
    #if defined(__ARM_FP)
    COPROCESSOR_ACCESS |= 0xf << 20;
    __asm volatile ("dsb\nisb");
    #endif
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CTRL = TIMER_CTRL_ENABLE | TIMER_CTRL_INTERRUPT;
    UART_CTRL |= UART_CTRL_RECEIVE_INTERRUPT;
    uart_received(); // what came before raises no interrupt, and QEMU would keep the rest for good
    NVIC_ENABLE = 1 << UART_IRQ | 1 << TIMER_IRQ;
}

uint64_t machine_ticks(void) {
    mp_uint_t state = interrupts_off();
    uint32_t low = ~TIMER_VALUE;
    uint32_t high = wraps;
    if (TIMER_INTERRUPT & 1) {
        // It has wrapped before or after we read it; now it certainly has.
        low = ~TIMER_VALUE;
        high++;
    }
    interrupts_restore(state);
    return (uint64_t)high << 32 | low;
}

uint64_t machine_instructions(uint64_t ticks) {
    return (ticks * TIMER_TICK_NS + INSTRUCTION_NS / 2) / INSTRUCTION_NS;
}

uint64_t machine_time_ns(void) {
    return machine_ticks() * TIMER_TICK_NS;
}

void machine_receive_enable(bool enable) {
    if (enable) {
        NVIC_ENABLE = 1 << UART_IRQ;
    } else {
        NVIC_DISABLE = 1 << UART_IRQ;
    }
}

void machine_sleep(void) {
    __asm volatile ("dsb\nwfi" : : : "memory");
}

int machine_semihosting(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm ("r0") = operation;
    register const void *r1 __asm ("r1") = argument;
    __asm volatile ("bkpt 0xab" : "+r" (r0) : "r" (r1) : "memory");
    return r0;
}

#endif
