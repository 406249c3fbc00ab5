# What all QEMU boards share. RECIPE is the folder of this file, given by firmware/qemu_port.py.
CFLAGS += -DMP_CONFIGFILE='"$(RECIPE)/config.h"'
MICROPY_VFS_LFS2 = 1

# Places where board/ takes over from the port: the start, the keyboard and its polling.
LDFLAGS += -Wl,--wrap=main -Wl,--wrap=mp_hal_stdin_rx_chr -Wl,--wrap=mp_hal_stdio_poll
