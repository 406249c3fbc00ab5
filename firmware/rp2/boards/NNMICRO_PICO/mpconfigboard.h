#define MICROPY_HW_BOARD_NAME "Raspberry Pi Pico"

// Models that are read in place: 704 KB for the firmware in front of them (the build checks that), the files behind.
#define MICROPY_HW_ROMFS_BYTES (704 * 1024)
#define MICROPY_HW_FLASH_STORAGE_BYTES (640 * 1024)

// Names that are not in flash, such as those of the engine's modules, in one piece from the start: pieces of 128 bytes
// would come to lie between larger blocks and stay there.
#define MICROPY_ALLOC_QSTR_CHUNK_INIT (1024)
