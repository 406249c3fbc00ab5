# The stock board RPI_PICO2 with its Arm cores, but for what mpconfigboard.h changes.
set(PICO_BOARD "pico2")
set(PICO_PLATFORM "rp2350")
set(MICROPY_BOARD_PINS "${MICROPY_PORT_DIR}/boards/RPI_PICO2/pins.csv")
