// The console's input: bytes come by interrupt, so that Ctrl-C stops a running program and waiting takes no time
// of the host's processor.

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/interrupt_char.h"

#include "machine.h"

#define SIZE (2 * MICROPY_REPL_STDIN_BUFFER_MAX)

static uint8_t received[SIZE];
static volatile uint32_t in, out; // only their difference counts; SIZE is a power of two

bool console_has_room(void) {
    return in - out < SIZE;
}

void console_receive(uint8_t byte) {
    if (byte == mp_interrupt_char) {
        mp_sched_keyboard_interrupt();
    } else {
        received[in % SIZE] = byte;
        in++;
    }
}

int __wrap_mp_hal_stdin_rx_chr(void) {
    for (;;) {
        mp_uint_t state = interrupts_off();
        if (in != out) {
            int byte = received[out % SIZE];
            bool was_full = !console_has_room();
            out++;
            interrupts_restore(state);
            if (was_full) {
                machine_receive_enable(true);
            }
            return byte;
        }
        machine_sleep();
        interrupts_restore(state); // what woke us is handled here
        mp_event_handle_nowait();
    }
}

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t wanted) {
    uintptr_t ready = wanted & MP_STREAM_POLL_WR;
    return in != out ? ready | (wanted & MP_STREAM_POLL_RD) : ready;
}
