/**
 * SIGTERM and SIGINT, heard from the moment this is made: a process that does not listen is ended by them, but the first
 * process of a container then gets neither.
 */
export class StopSignal {
  /** Until there is something to finish, the process just ends. Every step of a start may be cut off. */
  onStop: (signal: NodeJS.Signals) => void = () => process.exit(0);

  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.onStop(signal));
  }
}
