// A replacement for the RP2040's boot ROM, which is not ours to pass on: its tables lie where the firmware looks for
// them, and behind each entry is a breakpoint instruction whose number says which function of rom_functions.mjs or
// rom_floats.mjs to carry out. Layout: RP2040 data sheet, section 2.8.2.
import { floatFunctions } from './rom_floats.mjs';
import { romFunctions } from './rom_functions.mjs';

const ROM_BYTES = 16384;
const MAGIC = 0x10; // 'M', 'u', 1, then the version of the ROM
const ROM_VERSION = 3;
const FUNCTION_TABLE = 0x14; // halfwords with addresses: of the functions, of the data, of the look-up
const DATA_TABLE = 0x16;
const LOOK_UP = 0x18;
const FIRST_FREE = 0x100;
const FLOAT_TABLE_WORDS = 32;
const BKPT = 0xbe00;
const BX_LR = 0x4770;

class RomImage {
  constructor() {
    this.bytes = new Uint8Array(ROM_BYTES);
    this.view = new DataView(this.bytes.buffer);
    this.next = FIRST_FREE;
    this.functions = [];
  }

  // The address of a new function, with the bit that marks Thumb code.
  addFunction([name, cycles, run]) {
    const number = this.functions.length;
    if (number > 0xff) {
      throw new Error('a breakpoint has room for 256 numbers');
    }
    this.functions.push({ name, cycles, run });
    const address = this.next;
    this.view.setUint16(address, BKPT | number, true);
    this.view.setUint16(address + 2, BX_LR, true);
    this.next += 4;
    return address | 1;
  }

  addWords(words) {
    const address = this.next;
    words.forEach((word, i) => this.view.setUint32(address + 4 * i, word, true));
    this.next += 4 * words.length;
    return address;
  }

  // A table of pairs (two characters, address) with a zero behind the last.
  addDirectory(entries) {
    return this.addWords([...entries.map(([code, address]) => codeNumber(code) | (address << 16)), 0]);
  }
}

const codeNumber = (code) => code.charCodeAt(0) | (code.charCodeAt(1) << 8);

// Puts the ROM into `chip`. The answer's `extraCycles` is what functions took since it was last set to 0.
export function installBootRom(chip, flash, { onBootsel, onBreakpoint }) {
  const registers = chip.core.registers;
  const rom = new RomImage();
  const state = { extraCycles: 0 };

  const missing = rom.addFunction([
    'missing',
    0,
    () => {
      throw new Error(
        `the firmware calls a floating-point function of the boot ROM that is not emulated, ` +
          `from ${registers[14].toString(16)}`,
      );
    },
  ]);
  const lookUp = rom.addFunction([
    'table_lookup',
    30,
    () => {
      const code = registers[1] & 0xffff;
      let entry = registers[0];
      while (chip.readUint16(entry) !== code && chip.readUint16(entry) !== 0) {
        entry += 4;
      }
      registers[0] = chip.readUint16(entry) === code ? chip.readUint16(entry + 2) : 0;
    },
  ]);
  const functions = [...romFunctions(chip, flash, onBootsel)].map(([code, definition]) => [
    code,
    rom.addFunction(definition),
  ]);
  const floats = floatFunctions(registers);
  const floatTable = addFloatTable(rom, floats.float, missing);
  const doubleTable = addFloatTable(rom, floats.double, missing);

  rom.bytes.set([0x4d, 0x75, 0x01, ROM_VERSION], MAGIC);
  rom.view.setUint16(FUNCTION_TABLE, rom.addDirectory(functions), true);
  rom.view.setUint16(
    DATA_TABLE,
    rom.addDirectory([
      ['SF', floatTable],
      ['SD', doubleTable],
    ]),
    true,
  );
  rom.view.setUint16(LOOK_UP, lookUp, true);

  chip.bootrom.set(new Uint32Array(rom.bytes.buffer));
  chip.onBreak = (number) => {
    const called = registers[15] < ROM_BYTES ? rom.functions[number] : undefined;
    if (called === undefined) {
      onBreakpoint(number);
      return;
    }
    state.extraCycles += called.cycles + (called.run() || 0);
  };
  return state;
}

function addFloatTable(rom, functions, missing) {
  const words = new Array(FLOAT_TABLE_WORDS).fill(missing);
  for (const [offset, definition] of functions) {
    words[offset / 4] = rom.addFunction(definition);
  }
  // Two bytes in front of the table the SDK reads how many entries it has.
  rom.addWords([FLOAT_TABLE_WORDS << 16]);
  return rom.addWords(words);
}
