#define MICROPY_HW_BOARD_NAME "Raspberry Pi Pico"

// As in the stock firmware, so that files survive the change from one to the other.
#define MICROPY_HW_FLASH_STORAGE_BYTES (1408 * 1024)

// Models that are read in place. It lies directly below the files and leaves 512 KB of the 640 KB in front of
// them to the firmware, which has 330 KB (450 KB with the engine and its kernels); the build checks that.
#define MICROPY_HW_ROMFS_BYTES (128 * 1024)
