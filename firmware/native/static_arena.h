// Memory for one net's blobs that a firmware keeps outside MicroPython's heap.

#ifndef NN_STATIC_ARENA_H
#define NN_STATIC_ARENA_H

// Of a build by firmware/build.py: what this firmware is, and how many bytes it keeps.
#if !defined(MICROPY_ENABLE_DYNRUNTIME) && defined(__has_include)
#if __has_include("firmware_build.h")
#include "firmware_build.h"
#endif
#endif

#if NN_STATIC_ARENA
#include "py/obj.h"
MP_DECLARE_CONST_FUN_OBJ_1(nn_static_arena_obj);
#endif

#endif
