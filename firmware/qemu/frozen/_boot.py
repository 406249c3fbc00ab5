# mypy: ignore-errors
"""Mounts the disk as the root of the file system; a disk that holds none yet is formatted."""

import os
import sys

import qemu
import vfs

try:
    vfs.mount(vfs.VfsLfs2(qemu.disk), "/")
except OSError:
    vfs.VfsLfs2.mkfs(qemu.disk)
    vfs.mount(vfs.VfsLfs2(qemu.disk), "/")
os.chdir("/")
sys.path.append("/lib")
del os, qemu, sys, vfs
