import { createRequire } from 'node:module';
import type { App } from '../../src/apps/app.js';
import type { BootstrapApp } from '../../src/config/env.js';

interface Builder {
  buildAppToken(appId: string, certificate: string, expireSeconds: number): string;
  buildUserToken(appId: string, certificate: string, userId: string, expireSeconds: number): string;
}

const load = createRequire(import.meta.url);
const { ChatTokenBuilder } = load('agora-token') as { ChatTokenBuilder: Builder };

/** What an app server makes itself from its two credentials: for the app, or for one of its users. */
export function tokenOf(
  { appId, certificate }: Pick<BootstrapApp, 'appId' | 'certificate'>,
  username: string | null = null,
  expireSeconds?: number,
): string {
  return accessToken2({ appId, certificates: [certificate] }, username, expireSeconds);
}

/** An AccessToken2 made by the official builder. */
export function accessToken2(
  app: Pick<App, 'appId' | 'certificates'>,
  userId: string | null = null,
  expireSeconds = 3600,
): string {
  const certificate = app.certificates[0] as string;
  return userId === null
    ? ChatTokenBuilder.buildAppToken(app.appId, certificate, expireSeconds)
    : ChatTokenBuilder.buildUserToken(app.appId, certificate, userId, expireSeconds);
}

/** What the official builder would have made for a user at another time. */
export function accessToken2At(app: Pick<App, 'appId' | 'certificates'>, userId: string, atSeconds: number): string {
  const life = 3600;
  const { AccessToken2, ServiceChat } = load('agora-token/src/AccessToken2');
  const token = new AccessToken2(app.appId, app.certificates[0], atSeconds, life);
  const service = new ServiceChat(userId);
  service.add_privilege(ServiceChat.kPrivilegeUser, life);
  token.add_service(service);
  return token.build();
}
