// An RP2040 with our boot ROM and a flash chip, as strict as the real one where that matters to us.
import { RP2040 } from 'rp2040js';
import { installBootRom } from './boot_rom.mjs';

const BOOT_STAGE_2 = 0x10000000;
const BOOT_VECTORS = 0x10000100;
const STACK_TOP = 0x20042000;
const WATCHDOG = 0x40058;
const REASON_FORCED = 2;
// Of the single-cycle I/O block, the mailbox between the cores.
const FIFO_STATUS = 0x50;
const FIFO_WRITE = 0x54;
const FIFO_READ = 0x58;
const FIFO_VALID = 1;
const FIFO_READY = 2;
const POWER_ON_STATES = 0x40010;
const FORCE_OFF = 0x04;
const SECOND_CORE = 1 << 16;

// What ends a run: `kind` is reset, bootsel or fault.
export class ChipStopped extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

// A Cortex-M0+ faults on a word or halfword at an address that is no multiple of its size; rp2040js lets it pass.
class StrictRP2040 extends RP2040 {
  readUint32(address) {
    if (address & 3) this.unaligned('read of a word at', address);
    return super.readUint32(address);
  }

  readUint16(address) {
    if (address & 1) this.unaligned('read of a halfword at', address);
    return super.readUint16(address);
  }

  writeUint32(address, value) {
    if (address & 3) this.unaligned('write of a word to', address);
    super.writeUint32(address, value);
  }

  writeUint16(address, value) {
    if (address & 1) this.unaligned('write of a halfword to', address);
    super.writeUint16(address, value);
  }

  unaligned(what, address) {
    throw new ChipStopped('fault', `unaligned ${what} ${hex(address)} ${whereabouts(this.core)}`);
  }
}

const hex = (number) => `0x${(number >>> 0).toString(16)}`;
// The program counter is already behind the instruction (of two bytes, as all loads and stores are).
const whereabouts = (core) => `by the code at ${hex(core.PC - 2)}, called from ${hex(core.LR)}`;

// `watchdogReason` is what the watchdog's register says about the last reset (0: there was none). The answer has the
// chip and `rom`, whose extraCycles are to be added to what an instruction takes.
export function startChip(flash, watchdogReason) {
  const chip = new StrictRP2040();
  chip.logger = quietLogger(chip);
  const rom = installBootRom(chip, flash, {
    onBootsel: () => {
      throw new ChipStopped('bootsel', 'the firmware has started the boot loader, which waits for a UF2');
    },
    onBreakpoint: (number) => {
      throw new ChipStopped('fault', `breakpoint ${number} (a panic of the SDK) ${whereabouts(chip.core)}`);
    },
  });
  flash.attach(chip.flash);
  useLevelInterrupts(chip);
  leaveOutSecondCore(chip);

  const watchdog = chip.peripherals[WATCHDOG];
  watchdog.reason = watchdogReason;
  watchdog.onWatchdogTrigger = () => {
    const reason = watchdog.reason;
    const by = reason === REASON_FORCED ? 'the firmware' : 'the watchdog';
    throw Object.assign(new ChipStopped('reset', `${by} has reset the chip`), { reason });
  };

  // As the boot ROM leaves things when it has found the second boot stage in the flash.
  chip.core.VTOR = BOOT_VECTORS;
  chip.core.SP = STACK_TOP;
  chip.core.LR = 0;
  chip.core.PC = BOOT_STAGE_2;
  return { chip, rom };
}

// rp2040js 1.4.1 raises a UART's interrupt anew at every write to its "clear" register: a storm without end.
function useLevelInterrupts(chip) {
  for (const uart of chip.uart) {
    uart.checkInterrupts = function () {
      this.rp2040.setInterrupt(this.irq, !!(this.interruptStatus & this.interruptMask));
    };
  }
}

// rp2040js has neither the second core nor the mailbox to it. Resetting that core, which MicroPython does at every soft
// reset, works: the core answers with a zero. Starting it would be waited for without end, deaf to Ctrl-C.
function leaveOutSecondCore(chip) {
  let answered = false;
  const sio = chip.sio;
  const read = sio.readUint32;
  const write = sio.writeUint32;
  sio.readUint32 = (offset) => {
    if (offset === FIFO_STATUS) {
      return FIFO_READY | (answered ? FIFO_VALID : 0);
    }
    if (offset === FIFO_READ) {
      answered = false;
      return 0;
    }
    return read.call(sio, offset);
  };
  sio.writeUint32 = (offset, value) => {
    if (offset === FIFO_WRITE) {
      throw new ChipStopped('fault', 'the firmware starts the second core (_thread), which is not emulated');
    }
    write.call(sio, offset, value);
  };
  const power = chip.peripherals[POWER_ON_STATES];
  const setPower = power.writeUint32;
  power.writeUint32 = (offset, value) => {
    setPower.call(power, offset, value);
    answered ||= offset === FORCE_OFF && !(value & SECOND_CORE);
  };
}

// Registers that rp2040js does not have are no news to anybody. Memory that the chip does not have is a fault there.
function quietLogger(chip) {
  const nothing = () => {};
  const warn = (component, message) => {
    if (component === 'RP2040' || /is not implemented yet/.test(message)) {
      throw new ChipStopped('fault', `${message} ${whereabouts(chip.core)}`);
    }
  };
  return { debug: nothing, info: nothing, warn, error: nothing };
}
