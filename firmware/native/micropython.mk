# `_nnmicro` in a firmware: USER_C_MODULES=<a folder that holds this one>, NN_FAMILY=all, float or int8.
NNMICRO_DIR := $(USERMOD_DIR)
include $(NNMICRO_DIR)/sources.mk

SRC_USERMOD_C += $(addprefix $(NNMICRO_DIR)/, module.c static_arena.c)
SRC_USERMOD_LIB_C += $(addprefix $(NNMICRO_DIR)/, $(NN_FAMILY_$(NN_FAMILY)))
CFLAGS_USERMOD += -I$(NNMICRO_DIR) $(NN_WITHOUT_$(NN_FAMILY))

# A firmware is built for size; these are where its time goes.
$(addprefix $(BUILD)/%/, $(addsuffix .o, $(NN_FAST))): CFLAGS += -O2
