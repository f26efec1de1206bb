import { ConsoleLogger, Logger } from '@nestjs/common';

/** Takes what Nest's loggers say from now on, in order, instead of printing it; until `releaseLog`. */
export function captureLog(): readonly string[] {
  const lines: string[] = [];
  const note = (text: string): unknown => lines.push(text);
  Logger.overrideLogger({ log: note, warn: note, error: note });
  return lines;
}

export function releaseLog(): void {
  Logger.overrideLogger(new ConsoleLogger());
}
