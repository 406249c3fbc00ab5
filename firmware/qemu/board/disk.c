// Storage: a disk for a file system, and a place for a ROMFS image that can be read where it lies.

#include <string.h>

#include "py/binary.h"
#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/runtime.h"
#include "extmod/vfs.h"

#include "machine.h"

#define BLOCK_SIZE (4096) // the erase size of the flash chips on boards

typedef struct {
    mp_obj_base_t base;
} disk_t;

// Where a block's bytes lie; what does not fit is refused, because beyond the disk lies ROMFS.
static uint8_t *place(size_t argument_count, const mp_obj_t *arguments, size_t length) {
    mp_uint_t block = mp_obj_get_int(arguments[1]);
    mp_uint_t offset = argument_count > 3 ? mp_obj_get_int(arguments[3]) : 0;
    if (block >= DISK_SIZE / BLOCK_SIZE || offset > DISK_SIZE || length > DISK_SIZE - offset
        || block * BLOCK_SIZE + offset > DISK_SIZE - length) {
        mp_raise_OSError(MP_EINVAL);
    }
    return (uint8_t *)DISK_BASE + block * BLOCK_SIZE + offset;
}

static mp_obj_t disk_readblocks(size_t count, const mp_obj_t *arguments) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(arguments[2], &buffer, MP_BUFFER_WRITE);
    memcpy(buffer.buf, place(count, arguments, buffer.len), buffer.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(disk_readblocks_obj, 3, 4, disk_readblocks);

static mp_obj_t disk_writeblocks(size_t count, const mp_obj_t *arguments) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(arguments[2], &buffer, MP_BUFFER_READ);
    memcpy(place(count, arguments, buffer.len), buffer.buf, buffer.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(disk_writeblocks_obj, 3, 4, disk_writeblocks);

static mp_obj_t disk_ioctl(mp_obj_t self, mp_obj_t operation, mp_obj_t argument) {
    (void)self;
    (void)argument;
    switch (mp_obj_get_int(operation)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(DISK_SIZE / BLOCK_SIZE);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BLOCK_SIZE);
        default: // nothing to start, to write back or to erase
            return MP_OBJ_NEW_SMALL_INT(0);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(disk_ioctl_obj, disk_ioctl);

static const mp_rom_map_elem_t disk_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&disk_readblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&disk_writeblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&disk_ioctl_obj)},
};
static MP_DEFINE_CONST_DICT(disk_locals, disk_locals_table);
static MP_DEFINE_CONST_OBJ_TYPE(disk_type, MP_QSTR_Disk, MP_TYPE_FLAG_NONE, locals_dict, &disk_locals);
const disk_t qemu_disk_obj = {{&disk_type}};

static const mp_obj_array_t romfs_obj = {{&mp_type_memoryview}, 'B', 0, ROMFS_SIZE, (void *)ROMFS_BASE};

static mp_obj_t romfs_write(size_t count, const mp_obj_t *arguments) {
    if (count < 4) {
        return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
    }
    mp_uint_t offset = mp_obj_get_int(arguments[2]);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(arguments[3], &buffer, MP_BUFFER_READ);
    if (buffer.len > ROMFS_SIZE || offset > ROMFS_SIZE - buffer.len) {
        return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
    }
    memcpy((uint8_t *)ROMFS_BASE + offset, buffer.buf, buffer.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}

mp_obj_t mp_vfs_rom_ioctl(size_t count, const mp_obj_t *arguments) {
    switch (mp_obj_get_int(arguments[0])) {
        case MP_VFS_ROM_IOCTL_GET_NUMBER_OF_SEGMENTS:
            return MP_OBJ_NEW_SMALL_INT(1);
        case MP_VFS_ROM_IOCTL_GET_SEGMENT:
            return MP_OBJ_FROM_PTR(&romfs_obj);
        case MP_VFS_ROM_IOCTL_WRITE_PREPARE:
            return MP_OBJ_NEW_SMALL_INT(4); // the smallest piece that mpremote shall write
        case MP_VFS_ROM_IOCTL_WRITE:
            return romfs_write(count, arguments);
        case MP_VFS_ROM_IOCTL_WRITE_COMPLETE:
            return MP_OBJ_NEW_SMALL_INT(0);
        default:
            return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
    }
}
