include $(RECIPE)/common.mk
QEMU_ARCH = riscv32
QEMU_MACHINE = virt
# The compiler's library for soft floats comes for this architecture only, under the name that it had before CSR
# instructions became an extension of their own.
RV32_ARCH = rv32imac
AFLAGS += -misa-spec=2.2
CFLAGS += -DQEMU_SOC_VIRT -DMICROPY_HW_MCU_NAME='"RV32IMAC"'
LDSCRIPT = $(RECIPE)/rv32.ld
SRC_BOARD_O += shared/runtime/gchelper_native.o shared/runtime/gchelper_rv32i.o
MPY_CROSS_FLAGS += -march=rv32imc
