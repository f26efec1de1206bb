import { OmitType } from '@nestjs/swagger';
import type { App } from '../../apps/app.js';
import type { ProfiledUser } from '../../profiles/profile.js';
import { QiscusSdkUser, toQiscusSdkUser } from './qiscus-sdk.dto.js';

/** A user with its token, exactly as in the older server API: its clients accept no other members. */
export class QiscusOlderUser extends OmitType(QiscusSdkUser, [
  'active',
  'extras',
  'last_sync_event_id',
  'refresh_token',
  'token_expires_at',
]) {}

export function toQiscusOlderUser(app: App, profiled: ProfiledUser, token: string): QiscusOlderUser {
  const {
    active: _active,
    extras: _extras,
    last_sync_event_id: _lastSyncEventId,
    refresh_token: _refreshToken,
    token_expires_at: _tokenExpiresAt,
    ...user
  } = toQiscusSdkUser(app, profiled, { token, refreshToken: '' });
  return user;
}
