#define MICROPY_HW_BOARD_NAME "Raspberry Pi Pico2"

// Models that are read in place: 640 KB for the firmware in front of them (the build checks that), the files behind.
#define MICROPY_HW_ROMFS_BYTES (1024 * 1024)
#define MICROPY_HW_FLASH_STORAGE_BYTES (2432 * 1024)
