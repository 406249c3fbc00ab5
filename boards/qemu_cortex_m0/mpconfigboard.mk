QEMU_THUMB = thumb1
include $(RECIPE)/cortex_m.mk
QEMU_MACHINE = mps2-an385
CFLAGS += -mcpu=cortex-m0plus -mfloat-abi=soft
CFLAGS += -DMICROPY_HW_MCU_NAME='"Cortex-M0+"'
MPY_CROSS_FLAGS += -march=armv6m
