import { randomBytes } from 'node:crypto';
import type { BootstrapApp } from '../../src/config/env.js';

export function hex32(): string {
  return randomBytes(16).toString('hex');
}

/** An app for BOOTSTRAP_APPS; `text` is the setting. */
export function aBootstrapApp(overrides: Partial<BootstrapApp> = {}): BootstrapApp & { readonly text: string } {
  const app: BootstrapApp = {
    org: `org${randomBytes(4).toString('hex')}`,
    name: 'testapp',
    appId: hex32(),
    certificate: hex32(),
    alias: null,
    ...overrides,
  };
  const alias = app.alias === null ? '' : `:${app.alias}`;
  return { ...app, text: `${app.org}/${app.name}:${app.appId}:${app.certificate}${alias}` };
}
