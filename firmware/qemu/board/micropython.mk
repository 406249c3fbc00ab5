SRC_USERMOD += $(addprefix $(USERMOD_DIR)/, board.c console.c disk.c cortex_m.c rv32.c)
CFLAGS_USERMOD += -I$(USERMOD_DIR)
