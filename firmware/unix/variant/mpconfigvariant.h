// The unix port as close to a board as it comes.

// Boards compute in single precision; the standard variant's floats are doubles.
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)

// The feature level of the boards with USB.
#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

// A board looks for modules in its own file system only, never in the folders of the computer's user.
#define MICROPY_PY_SYS_PATH_DEFAULT ".frozen:/lib"
#define MICROPY_BANNER_MACHINE "unix"

#include "ports/unix/variants/mpconfigvariant_common.h"

// The common file lets Ctrl-C jump out of the middle of C code, which may leave the heap or a lock in any state.
// A board raises it between two bytecodes, and so do we.
#undef MICROPY_ASYNC_KBD_INTR
#define MICROPY_ASYNC_KBD_INTR (0)
