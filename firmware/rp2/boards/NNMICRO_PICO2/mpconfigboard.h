#define MICROPY_HW_BOARD_NAME "Raspberry Pi Pico2"

// As in the stock firmware, so that files survive the change from one to the other.
#define MICROPY_HW_FLASH_STORAGE_BYTES (PICO_FLASH_SIZE_BYTES - 1024 * 1024)

// Models that are read in place. It lies directly below the files and leaves 512 KB of the 1024 KB in front of
// them to the firmware, which has 330 KB; the build checks that.
#define MICROPY_HW_ROMFS_BYTES (512 * 1024)
