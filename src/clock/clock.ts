import { Injectable } from '@nestjs/common';

/** The source of "now". Tests replace it with a clock that they advance by hand. */
export abstract class Clock {
  /** Wall-clock time in Unix milliseconds: for what is stored, signed or shown. */
  abstract now(): number;

  nowSeconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /** Milliseconds that never run backwards: for durations and windows inside this process. */
  abstract monotonic(): number;
}

@Injectable()
export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }
}
