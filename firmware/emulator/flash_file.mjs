// The flash chip: its content, kept in a file that follows every erasing and programming at once. So the end of
// this process at any moment is what the loss of power is to a board: what was written is there, no more.
import fs from 'node:fs';

export const FLASH_BYTES = 2 << 20;
const SECTOR = 4096;
const PAGE = 256;

export class FlashFile {
  constructor(path) {
    this.file = fs.openSync(path, 'r+');
    const size = fs.fstatSync(this.file).size;
    if (size !== FLASH_BYTES) {
      throw new Error(`${path} has ${size} bytes; the flash of a Pico has ${FLASH_BYTES}`);
    }
    this.initial = new Uint8Array(FLASH_BYTES);
    fs.readSync(this.file, this.initial, 0, FLASH_BYTES, 0);
  }

  // `memory` is what the processor reads from now on.
  attach(memory) {
    this.memory = memory;
    memory.set(this.initial);
  }

  // Whether there is anything to start: an erased chip makes a Pico's boot ROM wait for a UF2.
  get isBlank() {
    return this.initial.subarray(0, PAGE).every((byte) => byte === 0xff);
  }

  erase(offset, length) {
    this.check('erase', offset, length, SECTOR);
    this.memory.fill(0xff, offset, offset + length);
    this.write(offset, length);
  }

  // Programming turns ones into zeros, never back.
  program(offset, bytes) {
    this.check('program', offset, bytes.length, PAGE);
    for (let i = 0; i < bytes.length; i++) {
      this.memory[offset + i] &= bytes[i];
    }
    this.write(offset, bytes.length);
  }

  check(what, offset, length, unit) {
    if (offset % unit || length % unit || offset + length > FLASH_BYTES) {
      throw new Error(
        `the firmware asked the boot ROM to ${what} ${length} bytes at ${offset} of the flash: ` +
          `not whole units of ${unit} within ${FLASH_BYTES}`,
      );
    }
  }

  write(offset, length) {
    fs.writeSync(this.file, this.memory, offset, length, offset);
  }
}
