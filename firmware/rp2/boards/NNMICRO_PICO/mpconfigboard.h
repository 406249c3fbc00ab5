#define MICROPY_HW_BOARD_NAME "Raspberry Pi Pico"

// Models that are read in place: 640 KB for the firmware in front of them (the build checks that), the files behind.
#define MICROPY_HW_ROMFS_BYTES (768 * 1024)
#define MICROPY_HW_FLASH_STORAGE_BYTES (640 * 1024)
