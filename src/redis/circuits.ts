import type { Logger } from '@nestjs/common';
import type { Clock } from '../clock/clock.js';

/**
 * How long a Redis that has just failed is left alone. Then one command tries it, and the others wait for its result.
 */
export const refusalMs = 1_000;

const maxOpen = 10_000;
/** Refused writes are checked for with every renewal of a lease; one seen this long ago is in doubt. */
const recentMs = 10_000;

interface OpenCircuit {
  /** Monotonic: until then no command is sent; then one tries. */
  readonly until: number;
  /** Why the server accepts no writes, in its own words; null if it gave no answer. */
  readonly refusal: string | null;
}

/**
 * The last known outage of Redis: it is down, or it answers but accepts no writes. Its start and end are logged once
 * each.
 */
export class Circuits {
  private readonly open = new Map<string, OpenCircuit>();
  private refusing: { readonly refusal: string; readonly seenAt: number } | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Why a server that answers is of no use now, in its own words; null: it accepts writes, as far as is known. */
  get refusal(): string | null {
    // On a cluster, no further command may be sent for the affected app.
    const isRecent = this.refusing !== null && this.clock.monotonic() - this.refusing.seenAt < recentMs;
    return isRecent ? (this.refusing?.refusal ?? null) : null;
  }

  /** Whether a command may be sent now; as a trial if the last one failed. */
  lets(circuit: string): boolean {
    const open = this.open.get(circuit);
    return open === undefined || this.clock.monotonic() >= open.until;
  }

  /**
   * For the one command that tries; keeps the circuit open for the others meanwhile. @returns what it tries, or null if the circuit was
   * closed
   */
  beginTrial(circuit: string): 'answer' | 'write' | null {
    const open = this.open.get(circuit);
    if (open === undefined) return null;
    this.open.set(circuit, { ...open, until: this.clock.monotonic() + refusalMs });
    return open.refusal === null ? 'answer' : 'write';
  }

  /** @param refusal what the server said about writes, if anything; one that hangs afterwards accepts none either */
  fail(circuit: string, refusal: string | null): void {
    const known = refusal ?? this.open.get(circuit)?.refusal ?? null;
    if (this.open.size >= maxOpen) this.open.clear();
    const now = this.clock.monotonic();
    this.open.set(circuit, { until: now + refusalMs, refusal: known });
    if (known === null) return;
    if (this.refusal === null) this.logger.warn(`Redis accepts no writes: ${known}. Continuing without it.`);
    this.refusing = { refusal: known, seenAt: now };
  }

  /** @param wrote whether a write was attempted; otherwise an answer says nothing about writes */
  succeed(circuit: string, wrote: boolean): void {
    const open = this.open.get(circuit);
    if (open === undefined || (open.refusal !== null && !wrote)) return;
    this.open.delete(circuit);
    if (open.refusal === null || [...this.open.values()].some(({ refusal }) => refusal !== null)) return;
    if (this.refusing !== null) this.logger.log('Redis accepts writes again.');
    this.refusing = null;
  }

  /** A new connection may lead to the server's successor; whether that accepts writes remains to be seen. */
  connected(): void {
    for (const [circuit, { refusal }] of this.open) if (refusal === null) this.open.delete(circuit);
  }
}
