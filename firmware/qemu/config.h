// The qemu port with what boards have and it lacks. Included in place of the port's own configuration.

#include "ports/qemu/mpconfigport.h"

#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (0)
#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)
#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (1)
#undef MICROPY_PY_SYS_STDIO_BUFFER
#define MICROPY_PY_SYS_STDIO_BUFFER (1)
#undef MICROPY_VFS_ROM_IOCTL
#define MICROPY_VFS_ROM_IOCTL (1)
#define MICROPY_KBD_EXCEPTION (1)
#define MICROPY_STACK_CHECK (1)
#define MICROPY_PY_OS_UNAME (1)

// Half of it is what the host may send before it waits; board/console.c has room for all of it.
#define MICROPY_REPL_STDIN_BUFFER_MAX (1024)

// The port has no interrupts and so no atomic sections; a Ctrl-C that comes in by interrupt needs them.
static inline mp_uint_t interrupts_off(void) {
    mp_uint_t state;
    #if defined(__riscv)
    __asm volatile ("csrrci %0, mstatus, 8" : "=r" (state) : : "memory");
    #else
    __asm volatile ("mrs %0, primask\ncpsid i" : "=r" (state) : : "memory");
    #endif
    return state;
}

static inline void interrupts_restore(mp_uint_t state) {
    #if defined(__riscv)
    __asm volatile ("csrs mstatus, %0" : : "r" (state & 8) : "memory");
    #else
    __asm volatile ("msr primask, %0" : : "r" (state) : "memory");
    #endif
}

#define MICROPY_BEGIN_ATOMIC_SECTION() interrupts_off()
#define MICROPY_END_ATOMIC_SECTION(state) interrupts_restore(state)
