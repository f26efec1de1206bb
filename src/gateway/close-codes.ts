import type { KickReason } from '../presence/session.js';

/**
 * Close codes of the gateway. The 4xxx are private-use codes (RFC 6455, 7.4.2); a client that receives one must not
 * reconnect on its own with the same token, except after `replaced` or `loginTimeout`, where a person decides, and
 * after `rateLimited`, if it sends less.
 */
export const closeCodes = {
  unsupportedData: 1003,
  policyViolation: 1008,
  tryAgainLater: 1013,
  loginRefused: 4010,
  loginTimeout: 4011,
  rateLimited: 4012,
} as const;

export const kickCodes: Readonly<Record<KickReason, number>> = {
  banned: 4001,
  forced_offline: 4002,
  deleted: 4003,
  password_changed: 4004,
  token_revoked: 4005,
  token_expired: 4006,
  replaced: 4007,
  // Service restart: RFC 6455's registry tells clients to reconnect after a random delay.
  shutdown: 1012,
};
