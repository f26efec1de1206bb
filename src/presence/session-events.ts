import { Injectable } from '@nestjs/common';
import { runReaction } from '../logging/reaction.js';
import type { Session, SessionEnd } from './session.js';

/** A device came online on this node: it was told `ready`. */
export interface SessionOpened {
  readonly type: 'opened';
  readonly session: Session;
}

/** It went offline. Each session that was opened is closed once, unless the whole process dies. */
export interface SessionClosed {
  readonly type: 'closed';
  readonly session: Session;
  readonly reason: SessionEnd;
  /** Milliseconds from the cause to the end, where another node or a user's change caused it. */
  readonly latencyMs?: number;
}

export type SessionEvent = SessionOpened | SessionClosed;

/** How sessions of this node tell the rest of the product that they came and went, without knowing who listens. */
@Injectable()
export class SessionEvents {
  private readonly listeners: ((event: SessionEvent) => unknown)[] = [];

  /** One that fails is logged: it changes nothing for the session, nor for the others. */
  subscribe(listener: (event: SessionEvent) => unknown): void {
    this.listeners.push(listener);
  }

  publish(event: SessionEvent): void {
    for (const listener of this.listeners) runReaction(() => listener(event));
  }
}
