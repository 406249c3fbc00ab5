// node pico.mjs --flash FILE [--watchdog-reason N]
//
// A Raspberry Pi Pico whose flash is FILE (2 MB: firmware and file system) and whose USB serial port is standard input
// and output, here the master side of a pty. It runs until the chip stops; the exit status then says why, and where a
// real board's port would vanish, this one does.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { startChip } from './chip.mjs';
import { FlashFile } from './flash_file.mjs';
import { RunLoop } from './run_loop.mjs';
import { UsbSerial } from './usb_serial.mjs';

// Exit statuses, which host_tools/device/pico.py knows too.
const STATUS = { failed: 1, forced: 10, watchdog: 11, bootsel: 12, fault: 13 };
const REASON_FORCED = 2;
const STANDARD_OUTPUT = 1;
const OUTPUT_LIMIT = 1 << 16; // bytes that nobody has read yet: from there on the board has to wait
const RETRY_MS = 1;

// Standard output without ever blocking: the board must hear Ctrl-C even if nobody reads what it prints.
class Output {
  constructor(onDrained) {
    this.pending = [];
    this.size = 0;
    this.onDrained = onDrained;
  }

  get isFull() {
    return this.size > OUTPUT_LIMIT;
  }

  write(bytes) {
    this.pending.push(Uint8Array.from(bytes));
    this.size += bytes.length;
    if (this.pending.length === 1) {
      this.drain();
    }
  }

  drain() {
    while (this.pending.length) {
      const first = this.pending[0];
      let count;
      try {
        count = fs.writeSync(STANDARD_OUTPUT, first);
      } catch (error) {
        if (error.code !== 'EAGAIN') {
          process.exit(0); // nobody is there any more
        }
        setTimeout(() => this.drain(), RETRY_MS);
        return;
      }
      this.size -= count;
      if (count === first.length) {
        this.pending.shift();
      } else {
        this.pending[0] = first.subarray(count);
      }
    }
    this.onDrained();
  }
}

function stop(error) {
  process.stderr.write(`${error.kind ? error.message : error.stack}\n`);
  if (error.kind === 'reset') {
    process.exit(error.reason === REASON_FORCED ? STATUS.forced : STATUS.watchdog);
  }
  process.exit(STATUS[error.kind] ?? STATUS.failed);
}

function main() {
  const { values } = parseArgs({
    options: { flash: { type: 'string' }, 'watchdog-reason': { type: 'string', default: '0' } },
  });
  const flash = new FlashFile(values.flash);
  if (flash.isBlank) {
    process.stderr.write('the flash is blank: the boot loader waits for a UF2\n');
    process.exit(STATUS.bootsel);
  }
  const { chip, rom } = startChip(flash, Number(values['watchdog-reason']));
  const output = new Output(() => loop.wake());
  const loop = new RunLoop({ chip, rom }, { mayRun: () => !output.isFull, onStop: stop });
  const serial = new UsbSerial(chip, (bytes) => output.write(bytes));

  process.stdin.on('data', (bytes) => {
    serial.send(bytes);
    loop.wake();
  });
  for (const event of ['end', 'error']) {
    process.stdin.on(event, () => process.exit(0));
  }
  loop.start();
}

try {
  main();
} catch (error) {
  stop(error);
}
