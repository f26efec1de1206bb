import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import { AppsService } from './apps/apps.service.js';
import { TokensService } from './auth/tokens.service.js';
import type { Env } from './config/env.js';

/**
 * What to paste next, for a person who has just started Rollcall.
 * @param terminal whether it is shown on a terminal rather than kept in a log
 */
export async function bannerFor(app: NestFastifyApplication, env: Env, terminal: boolean): Promise<string> {
  const { address, port, family } = app.getHttpServer().address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  const url = env.publicUrl ?? `http://${host}:${port}`;
  const lines = [`Rollcall is ready on ${url}`, '', `  API documentation  ${url}/docs`];
  const demo = await app.get(AppsService).find('demo', 'demo');
  // Credentials are shown only to a person at the machine that they give access to.
  const local = address === '127.0.0.1' || address === '::1';
  if (demo !== null && local && terminal) {
    const { accessToken } = app.get(TokensService).issueAppToken(demo);
    lines.push(
      `  demo app           ${demo.org}/${demo.name}`,
      `  App ID             ${demo.appId}`,
      `  App certificate    ${demo.certificates[0]}`,
      `  app token          ${accessToken}`,
      '',
      '  Register a user:',
      '',
      `  curl -X POST '${url}/${demo.org}/${demo.name}/users' -H 'Authorization: Bearer ${accessToken}' \\`,
      `    -H 'Content-Type: application/json' -d '{"username":"user1","password":"123"}'`,
    );
  } else {
    const app = demo === null ? 'ORG/APP' : `${demo.org}/${demo.name}`;
    lines.push(
      '',
      '  Credentials        npm run -s cli -- app list',
      `  An app token       npm run -s cli -- token app ${app}`,
    );
  }
  return `\n${lines.join('\n')}\n`;
}
