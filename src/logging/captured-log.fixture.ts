import { ConsoleLogger, Logger } from '@nestjs/common';

/** Captures the output of Nest's loggers, in order, instead of printing it, until `releaseLog`. */
export function captureLog(): readonly string[] {
  const lines: string[] = [];
  const note = (text: string): unknown => lines.push(text);
  Logger.overrideLogger({ log: note, warn: note, error: note });
  return lines;
}

export function releaseLog(): void {
  Logger.overrideLogger(new ConsoleLogger());
}
