// The functions of the RP2040's boot ROM but for the floating-point ones: bits, memory, flash, the way into BOOTSEL.
const SRAM_START = 0x20000000;
const SRAM_END = 0x20042000;
const FLASH_START = 0x10000000;
const FLASH_MIRRORS_END = 0x14000000;

// A table of two-character code -> [name, cycles, function]; a function returns the cycles that it takes beyond
// that. Codes: the SDK's bootrom_constants.h. `onBootsel` is called when the firmware asks for the boot loader.
export function romFunctions(chip, flash, onBootsel) {
  const registers = chip.core.registers;

  // Memory as an array, or null where it is registers of the chip.
  const memory = (address, length) => {
    if (address >= SRAM_START && address + length <= SRAM_END) {
      return chip.sram.subarray(address - SRAM_START, address - SRAM_START + length);
    }
    if (address >= FLASH_START && address < FLASH_MIRRORS_END) {
      const offset = address & 0xffffff;
      return chip.flash.subarray(offset, offset + length);
    }
    return null;
  };
  const copy = () => {
    const target = registers[0];
    const source = registers[1];
    const length = registers[2];
    const into = memory(target, length);
    const from = memory(source, length);
    if (into && from) {
      into.set(from);
    } else {
      for (let i = 0; i < length; i++) {
        chip.writeUint8(target + i, chip.readUint8(source + i));
      }
    }
    return length;
  };
  const fill = () => {
    const target = registers[0];
    const value = registers[1];
    const length = registers[2];
    const into = memory(target, length);
    if (into) {
      into.fill(value & 0xff);
    } else {
      for (let i = 0; i < length; i++) {
        chip.writeUint8(target + i, value & 0xff);
      }
    }
    return length;
  };
  const countBits = () => {
    let count = 0;
    for (let rest = registers[0]; rest; rest = (rest & (rest - 1)) >>> 0) {
      count++;
    }
    registers[0] = count;
  };
  const reverseBits = () => {
    let reversed = 0;
    for (let i = 0; i < 32; i++) {
      reversed = (reversed << 1) | ((registers[0] >>> i) & 1);
    }
    registers[0] = reversed;
  };
  const leadingZeros = () => {
    registers[0] = Math.clz32(registers[0]);
  };
  const trailingZeros = () => {
    const value = registers[0];
    registers[0] = value ? 31 - Math.clz32(value & -value) : 32;
  };
  // The flash's own waiting time is left out: it would only make every test slower.
  const erase = () => flash.erase(registers[0], registers[1]);
  const program = () => {
    const from = memory(registers[1], registers[2]);
    if (from === null) {
      throw new Error(
        `the firmware programs the flash from ${registers[1].toString(16)}, which is no memory`,
      );
    }
    flash.program(registers[0], from);
  };
  const nothing = () => {};

  return new Map([
    ['P3', ['popcount32', 20, countBits]],
    ['R3', ['reverse32', 20, reverseBits]],
    ['L3', ['clz32', 20, leadingZeros]],
    ['T3', ['ctz32', 20, trailingZeros]],
    ['MS', ['memset', 20, fill]],
    ['S4', ['memset4', 20, fill]],
    ['MC', ['memcpy', 20, copy]],
    ['C4', ['memcpy44', 20, copy]],
    ['IF', ['connect_internal_flash', 50, nothing]],
    ['EX', ['flash_exit_xip', 50, nothing]],
    ['RE', ['flash_range_erase', 50, erase]],
    ['RP', ['flash_range_program', 50, program]],
    ['FC', ['flash_flush_cache', 50, nothing]],
    ['CX', ['flash_enter_cmd_xip', 50, nothing]],
    ['UB', ['reset_usb_boot', 0, onBootsel]],
  ]);
}
