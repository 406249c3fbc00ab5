// The other end of the board's USB cable: a computer that opens the board's serial port and reads and writes it.
import { USBCDC } from 'rp2040js';

export class UsbSerial {
  // `onOutput` gets what the board sends, as Uint8Array.
  constructor(chip, onOutput) {
    this.usb = chip.usbCtrl;
    this.cdc = new USBCDC(this.usb);
    this.waiting = []; // buffers for the board, the first one from `offset` on
    this.offset = 0;
    this.asked = null; // bytes that the board has room for, while it waits
    // USBCDC would answer the board with empty packets for ever: let it wait until there is something.
    this.usb.onEndpointRead = (endpoint, size) => {
      if (endpoint === this.cdc.outEndpoint) {
        this.asked = size;
        this.feed();
      }
    };
    this.cdc.onSerialData = (bytes) => {
      if (bytes.length) {
        onOutput(bytes);
      }
    };
  }

  send(bytes) {
    this.waiting.push(bytes);
    this.feed();
  }

  feed() {
    if (this.asked === null || this.waiting.length === 0) {
      return;
    }
    const size = this.asked;
    this.asked = null;
    this.usb.endpointReadDone(this.cdc.outEndpoint, this.take(size));
  }

  take(size) {
    const packet = new Uint8Array(size);
    let filled = 0;
    while (filled < size && this.waiting.length) {
      const first = this.waiting[0];
      const count = Math.min(size - filled, first.length - this.offset);
      packet.set(first.subarray(this.offset, this.offset + count), filled);
      filled += count;
      this.offset += count;
      if (this.offset === first.length) {
        this.waiting.shift();
        this.offset = 0;
      }
    }
    return packet.subarray(0, filled);
  }
}
