import { Injectable } from '@nestjs/common';
import { runReaction } from '../logging/reaction.js';
import type { Session, SessionEnd } from './session.js';

/** A device came online on this node and was sent `ready`. */
export interface SessionOpened {
  readonly type: 'opened';
  readonly session: Session;
}

/** The device went offline. Each opened session is closed exactly once, unless the whole process dies. */
export interface SessionClosed {
  readonly type: 'closed';
  readonly session: Session;
  readonly reason: SessionEnd;
  /** Milliseconds from cause to end, if another node or a change to the user caused it. */
  readonly latencyMs?: number;
}

export type SessionEvent = SessionOpened | SessionClosed;

/** Publishes the opening and closing of this node's sessions without knowing the listeners. */
@Injectable()
export class SessionEvents {
  private readonly listeners: ((event: SessionEvent) => unknown)[] = [];

  /** A failing listener is logged and affects neither the session nor the other listeners. */
  subscribe(listener: (event: SessionEvent) => unknown): void {
    this.listeners.push(listener);
  }

  publish(event: SessionEvent): void {
    for (const listener of this.listeners) runReaction(() => listener(event));
  }
}
