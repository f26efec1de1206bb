import type { AppsService } from '../apps/apps.service.js';
import type { TokensService } from '../auth/tokens.service.js';
import type { Clock } from '../clock/clock.js';
import type { PresenceService } from '../presence/presence.service.js';
import type { FrameTurns } from './frame-turns.js';
import type { MessageServices } from './message-frames.js';

/** What a socket needs from its gateway. */
export interface SocketContext extends MessageServices {
  readonly clock: Clock;
  readonly apps: AppsService;
  readonly tokens: TokensService;
  readonly presence: PresenceService;
  readonly pingMs: number;
  readonly loginTimeoutMs: number;
  /** Called for internal errors. */
  readonly onFault: (error: unknown) => void;
  readonly turns: FrameTurns;
}
