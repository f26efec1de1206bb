import { randomBytes } from 'node:crypto';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import type { App } from './app.js';
import { AppsService } from './apps.service.js';

describe('AppsService', () => {
  let running: RunningApp;
  let apps: AppsService;
  let app: App;

  beforeAll(async () => {
    running = await startApp();
    apps = running.nest.get(AppsService);
  });
  beforeEach(async () => {
    app = await apps.create({ org: 'acme', name: `app${randomBytes(4).toString('hex')}` });
  });
  afterAll(() => running.stop());

  const stored = async () => (await apps.list()).find(({ id }) => id === app.id);

  it('changes the current state of an app, not the state its caller has read', async () => {
    const rotated = await apps.rotate(app);
    await apps.set(app, 'token_ttl_seconds', '60');
    const set = await apps.set(app, 'alias', app.name);
    expect(set).toEqual({
      ...rotated,
      alias: app.name,
      settings: { ...app.settings, token_ttl_seconds: 60 },
    });
    expect(await stored()).toEqual(set);
    expect((await apps.rotate(app)).certificates[1]).toBe(rotated.certificates[0]);
    await expect(apps.set(app, 'previous_certificate', 'none')).resolves.toMatchObject({ alias: app.name });
  });

  it('loses none of many concurrent changes', async () => {
    const rotations = Array.from({ length: 5 }, () => apps.rotate(app));
    await Promise.all([
      ...rotations,
      apps.set(app, 'token_ttl_seconds', '60'),
      apps.set(app, 'offline_retention_days', '3'),
      apps.set(app, 'disabled', 'true'),
      apps.set(app, 'alias', app.name),
    ]);
    const after = await stored();
    expect(after).toMatchObject({
      alias: app.name,
      disabled: true,
      settings: { token_ttl_seconds: 60, offline_retention_days: 3 },
    });
    // In sequence: each one keeps the certificate of the one before it.
    const pairs = (await Promise.all(rotations)).map(({ certificates }) => certificates);
    const [first] = app.certificates as [string];
    const next = new Map(pairs.map(([drawn, before]) => [before, drawn]));
    const inOrder = [first];
    for (let at = next.get(first); at !== undefined; at = next.get(at)) inOrder.push(at);
    expect(inOrder).toHaveLength(6);
    expect(after?.certificates).toEqual([inOrder[5], inOrder[4]]);
  });

  it('changes several properties of an app atomically', async () => {
    const wrong = apps.setAll(app, [
      ['disabled', 'true'],
      ['alias', '?'],
    ]);
    await expect(wrong).rejects.toMatchObject({ code: 'argument_invalid' });
    expect(await stored()).toEqual(app);
    const both = await apps.setAll(app, [
      ['disabled', 'true'],
      ['token_ttl_seconds', '60'],
    ]);
    expect(await stored()).toEqual(both);
    expect(both).toMatchObject({ disabled: true, settings: { token_ttl_seconds: 60 } });
  });
});
