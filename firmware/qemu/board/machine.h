// What the two kinds of machine provide (cortex_m.c, rv32.c), and what they call.
#ifndef NNMICRO_QEMU_MACHINE_H
#define NNMICRO_QEMU_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

// 16 MB that hold the disk and ROMFS, outside everything that a reset clears.
#if defined(__riscv)
#define STORAGE_BASE (0x81000000)
#elif __ARM_ARCH_7EM__ && (__ARM_FP & 8)
#define STORAGE_BASE (0x60000000) // the Cortex-M7 board
#else
#define STORAGE_BASE (0x21000000)
#endif
#define DISK_BASE STORAGE_BASE
#define DISK_SIZE (8 * 1024 * 1024)
#define ROMFS_BASE (STORAGE_BASE + DISK_SIZE)
#define ROMFS_SIZE (8 * 1024 * 1024)

// A counter that only goes up, cheap to read; with -icount shift=7 the executed instructions follow from it exactly.
uint64_t machine_ticks(void);
uint64_t machine_instructions(uint64_t ticks);

void machine_init(void);
uint64_t machine_time_ns(void);
void machine_receive_enable(bool enable);
// Sleep until an interrupt is pending; to be called with interrupts off, so that none is missed.
void machine_sleep(void);
int machine_semihosting(uint32_t operation, const void *argument);

// The console takes a received byte; false if it has no room left, and the byte has to wait.
bool console_has_room(void);
void console_receive(uint8_t byte);

// Tells the host what happened to the processor and ends the emulator.
void board_fault(const char *what, uint32_t program_counter, uint32_t link, uint32_t status, uint32_t address);

#endif
