import { fstatSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';

/** How much may wait in memory for a reader that takes nothing. Further lines are lost. */
const maxWaitingBytes = 1024 * 1024;

/**
 * Standard output or standard error, for log lines. A line that cannot be written is lost and counted: a full disk, or
 * a reader that has stopped or gone, blocks neither the service nor its shutdown. Not pino's own destination, which
 * retries the same line for ever while the whole process waits.
 */
export class LogDestination {
  /** Null for files and devices, where a write never waits for a reader. */
  private readonly stream: NodeJS.WriteStream | null;
  private lost = 0;
  /** Lines lost since the log last reported it. */
  private untold = 0;
  private reason = '';
  /** A full disk took the beginning of a line but not its end. */
  private torn = false;

  constructor(private readonly fd: 1 | 2) {
    const stream = fd === 1 ? process.stdout : process.stderr;
    const stats = fstatSync(fd);
    this.stream = stats.isFIFO() || stats.isSocket() || stream.isTTY ? stream : null;
    // Errors are reported to the callback of each write; without a listener, the event would end the process.
    this.stream?.on('error', () => undefined);
  }

  /** Since the process started. */
  get lostLines(): number {
    return this.lost;
  }

  write(line: string): void {
    if (this.stream === null) this.toFile(line);
    else this.toReader(this.stream, line);
  }

  /** Waits until everything written has been consumed, for at most `ms`. */
  async flush(ms: number): Promise<void> {
    const { stream } = this;
    if (stream === null || stream.writableLength === 0) return;
    const taken = new Promise<void>((resolve) => stream.write('', () => resolve()));
    await Promise.race([taken, sleep(ms, undefined, { ref: false })]);
  }

  private toFile(line: string): void {
    const bytes = Buffer.from(`${this.torn ? '\n' : ''}${this.report()}${line}`);
    try {
      const written = writeSync(this.fd, bytes);
      this.torn = written < bytes.length && (written > 0 || this.torn);
      if (written < bytes.length) this.lose('the disk is full');
      else this.untold = 0;
    } catch (error) {
      this.lose((error as Error).message);
    }
  }

  private toReader(stream: NodeJS.WriteStream, line: string): void {
    if (stream.writableLength + line.length > maxWaitingBytes) {
      this.lose('nobody reads it');
      return;
    }
    const told = stream.writableLength === 0 ? this.untold : 0;
    const text = told === 0 ? line : this.report() + line;
    this.untold -= told;
    stream.write(text, (error) => {
      if (!error) return;
      this.untold += told;
      this.lose(error.message);
    });
  }

  private lose(reason: string): void {
    this.lost += 1;
    this.untold += 1;
    this.reason = reason;
  }

  private report(): string {
    if (this.untold === 0) return '';
    const msg = JSON.stringify(`${this.untold} log lines were lost: ${this.reason}`);
    return `{"level":"warn"${pino.stdTimeFunctions.isoTime()},"context":"Logging","msg":${msg}}\n`;
  }
}
