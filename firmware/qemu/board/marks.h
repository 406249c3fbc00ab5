// Between these two the plugin firmware/qemu_plugin counts instructions by class. They do nothing, and no compiler makes
// them.
#ifndef NNMICRO_QEMU_MARKS_H
#define NNMICRO_QEMU_MARKS_H

#if defined(__riscv)
#define MARK_START() __asm volatile("slti x0, x0, 9" ::: "memory")
#define MARK_STOP() __asm volatile("slti x0, x0, 10" ::: "memory")
#elif defined(__arm__)
#define MARK_START() __asm volatile("mov r9, r9" ::: "memory")
#define MARK_STOP() __asm volatile("mov r10, r10" ::: "memory")
#else
#define MARK_START()
#define MARK_STOP()
#endif

#endif
