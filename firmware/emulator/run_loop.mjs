// Runs the chip: as fast as this computer can while there is something to do, and by the wall clock while it waits.
import { performance } from 'node:perf_hooks';

const NANOS_PER_CYCLE = 8; // 125 MHz
const INSTRUCTIONS_PER_LOOK = 20000; // between two looks at the wall clock
const SLICE_MS = 10; // between two looks at standard input
const LONGEST_SLEEP_MS = 20;
// An alarm this near (the time that a USB packet takes, say) is not waited for but jumped to, for as long as simulated
// time is not further ahead than AHEAD_NANOS: else every packet would cost a real sleep.
const NEAR_NANOS = 2e6;
const AHEAD_NANOS = 50e6;

export class RunLoop {
  // `mayRun` says whether the chip may go on; `onStop` gets the exception that ends the run.
  constructor({ chip, rom }, { mayRun, onStop }) {
    this.core = chip.core;
    this.clock = chip.clock;
    this.rom = rom;
    this.mayRun = mayRun;
    this.onStop = onStop;
    this.timer = null;
    this.scheduled = false;
    this.wasIdle = false;
    // Wall-clock milliseconds at which simulated time was 0.
    this.origin = performance.now();
    this.slice = this.slice.bind(this);
  }

  start() {
    this.wake();
  }

  // Something has happened outside: do not sleep on.
  wake() {
    if (this.timer !== null) {
      clearTimeout(this.timer);
    }
    this.timer = null;
    if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.slice);
    }
  }

  slice() {
    this.scheduled = false;
    this.timer = null;
    try {
      this.forgetLag();
      this.wasIdle = this.mayRun() ? this.run(performance.now() + SLICE_MS) : true;
    } catch (error) {
      this.onStop(error);
      return;
    }
    if (this.wasIdle) {
      this.timer = setTimeout(this.slice, this.sleepMs());
    } else {
      this.wake();
    }
  }

  // While it was busy the chip fell behind the wall clock. Catching up would let all its time-outs expire at once.
  forgetLag() {
    const now = performance.now();
    const simulated = this.clock.nanos / 1e6;
    if (!this.wasIdle && this.origin + simulated < now - 1) {
      this.origin = now - simulated;
    }
  }

  // Runs until `deadline`, or until the chip waits for something that is not due; true if it waits.
  run(deadline) {
    do {
      for (let i = 0; i < INSTRUCTIONS_PER_LOOK; i++) {
        if (this.core.waiting) {
          if (this.waitOver()) continue;
          return true;
        }
        const cycles = this.core.executeInstruction() + this.rom.extraCycles;
        this.rom.extraCycles = 0;
        this.clock.tick(cycles * NANOS_PER_CYCLE);
      }
    } while (performance.now() < deadline);
    return false;
  }

  // Moves simulated time on for a chip that waits for an interrupt or event. False if it has to wait for the wall.
  waitOver() {
    const untilAlarm = this.clock.nextAlarm ? this.clock.nanosToNextAlarm : Infinity;
    const behind = this.nanosBehind();
    if (untilAlarm <= behind || (untilAlarm <= NEAR_NANOS && untilAlarm < behind + AHEAD_NANOS)) {
      this.clock.tick(untilAlarm);
      return true;
    }
    if (behind > 0) {
      this.clock.tick(behind);
    }
    return !this.core.waiting;
  }

  nanosBehind() {
    return (performance.now() - this.origin) * 1e6 - this.clock.nanos;
  }

  sleepMs() {
    if (!this.clock.nextAlarm) {
      return LONGEST_SLEEP_MS;
    }
    const nanos = this.clock.nanosToNextAlarm - this.nanosBehind();
    return Math.min(LONGEST_SLEEP_MS, Math.max(1, nanos / 1e6));
  }
}
