# A Cortex-M on Arm's MPS2 board.
include $(RECIPE)/common.mk
QEMU_ARCH = arm
CFLAGS += -mthumb -DQEMU_SOC_MPS2
LDSCRIPT = $(RECIPE)/cortex_m.ld
SRC_BOARD_O = shared/runtime/gchelper_native.o shared/runtime/gchelper_$(or $(QEMU_THUMB),thumb2).o
