import { createRequire } from 'node:module';
import type { App } from '../../src/apps/app.js';

interface Builder {
  buildAppToken(appId: string, certificate: string, expireSeconds: number): string;
  buildUserToken(appId: string, certificate: string, userId: string, expireSeconds: number): string;
}

const { ChatTokenBuilder } = createRequire(import.meta.url)('agora-token') as { ChatTokenBuilder: Builder };

/** An AccessToken2 of the official builder. */
export function accessToken2(app: App, userId: string | null = null, expireSeconds = 3600): string {
  const certificate = app.certificates[0] as string;
  return userId === null
    ? ChatTokenBuilder.buildAppToken(app.appId, certificate, expireSeconds)
    : ChatTokenBuilder.buildUserToken(app.appId, certificate, userId, expireSeconds);
}
