import type { Logger } from '@nestjs/common';
import type { Clock } from '../clock/clock.js';

/** How long nobody asks a Redis that has just failed. Then one command tries, and the others wait for its answer. */
export const refusalMs = 1_000;

const maxOpen = 10_000;
/** A refusal is looked for with every renewal of a lease; one that was seen so long ago is in doubt. */
const recentMs = 10_000;

interface OpenCircuit {
  /** Monotonic: until then nobody asks, and then one tries. */
  readonly until: number;
  /** Why the server takes no writes, in its words; null when it gave no answer. */
  readonly refusal: string | null;
}

/** Where Redis was last found not to serve: it is away, or there and takes no writes, which is logged once, as is its end. */
export class Circuits {
  private readonly open = new Map<string, OpenCircuit>();
  private refusing: { readonly refusal: string; readonly seenAt: number } | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Why a server that answers is of no use now, in its own words; null: it takes writes, as far as is known. */
  get refusal(): string | null {
    // On a cluster nobody may ask again for the app that met it.
    const isRecent = this.refusing !== null && this.clock.monotonic() - this.refusing.seenAt < recentMs;
    return isRecent ? (this.refusing?.refusal ?? null) : null;
  }

  /** Whether a command may be sent now; as a trial, where the last one failed. */
  lets(circuit: string): boolean {
    const open = this.open.get(circuit);
    return open === undefined || this.clock.monotonic() >= open.until;
  }

  /** For the one command that tries: shuts the door behind it. @returns what it is to try, or null for a closed circuit */
  beginTrial(circuit: string): 'answer' | 'write' | null {
    const open = this.open.get(circuit);
    if (open === undefined) return null;
    this.open.set(circuit, { ...open, until: this.clock.monotonic() + refusalMs });
    return open.refusal === null ? 'answer' : 'write';
  }

  /** @param refusal what the server said of writes, if it did; one that hangs since then takes none either */
  fail(circuit: string, refusal: string | null): void {
    const known = refusal ?? this.open.get(circuit)?.refusal ?? null;
    if (this.open.size >= maxOpen) this.open.clear();
    const now = this.clock.monotonic();
    this.open.set(circuit, { until: now + refusalMs, refusal: known });
    if (known === null) return;
    if (this.refusal === null) this.logger.warn(`Redis takes no writes: ${known}. Going on without it.`);
    this.refusing = { refusal: known, seenAt: now };
  }

  /** @param wrote whether a write was tried; without one, an answer says nothing about writes */
  succeed(circuit: string, wrote: boolean): void {
    const open = this.open.get(circuit);
    if (open === undefined || (open.refusal !== null && !wrote)) return;
    this.open.delete(circuit);
    if (open.refusal === null || [...this.open.values()].some(({ refusal }) => refusal !== null)) return;
    if (this.refusing !== null) this.logger.log('Redis takes writes again.');
    this.refusing = null;
  }

  /** A new connection may have found the server's successor; whether that takes writes is to be seen. */
  connected(): void {
    for (const [circuit, { refusal }] of this.open) if (refusal === null) this.open.delete(circuit);
  }
}
