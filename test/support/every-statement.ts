import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { AppsService } from '../../src/apps/apps.service.js';
import { aBootstrapApp } from '../factories/app.factory.js';
import type { FixedClock } from './fixed-clock.js';
import { MessageClient } from './message-client.js';
import { sendRareStatements } from './rare-statements.js';
import { rawCall } from './raw-call.js';
import { guardedRoutes } from './route-access.js';
import { callsOf } from './route-calls.js';
import type { RunningApp } from './start-app.js';
import { Tenant } from './tenant.js';

/** Aliases of routes that exist under another prefix as well. */
const sameHandler = /^HEAD| \/app-id\/| \/api\/v2\/(?!(sdk|rest)\/)/;

/**
 * Makes the service send every statement it has: each route once, everything a session can do, and what only time or a
 * large app triggers. Routes of a new noun are called once `route-calls.ts` describes them; its rarer statements belong
 * in `rare-statements.ts`.
 */
export async function sendEveryStatement(running: RunningApp, clock: FixedClock): Promise<void> {
  // Two at a time, as statements and transactions that combine several calls must still concern a single app.
  const tenants = await Promise.all([aTenant(running), aTenant(running)]);
  await Promise.all(tenants.map((tenant) => useGateway(running, tenant)));
  // Taken names take another path through an INSERT.
  await Promise.all(tenants.map((tenant) => useRoutes(running, tenant)));
  await Promise.all(tenants.map((tenant) => tenant.close()));
  await sendRareStatements(running, tenants[0], clock);
}

async function aTenant(running: RunningApp): Promise<Tenant> {
  const credentials = aBootstrapApp();
  const apps = running.nest.get(AppsService);
  let app = await apps.create({ ...credentials });
  // With room for few messages, so that the oldest are dropped.
  for (const [key, value] of [
    ['rate_profile', 'off'],
    ['offline_messages_per_user', '2'],
  ] as const)
    app = await apps.set(app, key, value);
  return Tenant.build(running.url, credentials);
}

/** Everything a session can do. */
async function useGateway(running: RunningApp, tenant: Tenant): Promise<void> {
  const { username, other } = tenant.names;
  const url = `${running.url.replace('http', 'ws')}${tenant.path}/ws`;
  const session = await MessageClient.connect(url, tenant.userJwt);
  for (let time = 0; time < 4; time += 1) session.send({ type: 'send', to: username, body: { time } });
  session.send({ type: 'send', to: other, body: {} });
  await session.take('sent', 5);
  session.send({ type: 'read', id: (await session.take('message', 5)).at(-1)?.['id'] as string });
  await session.settle();
  await session.close();
}

async function useRoutes(running: RunningApp, tenant: Tenant): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  for (const { route, access } of guardedRoutes(running).filter((one) => !sameHandler.test(one.route)))
    for (const { method, path, body, headers: more } of callsOf(route, tenant.credentials, tenant.ids)) {
      const headers = { 'idempotency-key': randomUUID(), ...tenant.shown(access), ...more };
      const answer = await rawCall(running.url, method, path, { agent, body, headers });
      if (answer.status >= 500) throw new Error(`${method} ${path}: ${answer.status}`);
    }
  agent.destroy();
}
