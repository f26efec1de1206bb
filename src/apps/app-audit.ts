import { type AuditAction, type AuditEntry, type AuditValues, differences } from '../audit/audit-entry.js';
import type { App } from './app.js';

/** A change of an app; null if it is as it was. Of a secret it says only that it is another one. */
export function appEntryOf(action: AuditAction, before: App, after: App): AuditEntry | null {
  const [old, current] = [shownOf(before), shownOf(after)];
  const changed = differences(old, current, [...new Set([...Object.keys(old), ...Object.keys(current)])]);
  const secrets = secretsChanged(before, after);
  if (changed === undefined && Object.keys(secrets).length === 0) return null;
  const target = `${after.org}/${after.name}`;
  return { action, target, before: changed?.before, after: { ...changed?.after, ...secrets } };
}

function shownOf({ alias, disabled, clientCredentials, settings }: App): AuditValues {
  return { ...settings, alias, disabled, client_id: clientCredentials?.id ?? null };
}

function secretsChanged(before: App, after: App): AuditValues {
  const secrets = {
    certificate: [before.certificates[0], after.certificates[0]],
    previous_certificate: [before.certificates[1], after.certificates[1]],
    token_secret: [before.tokenSecret, after.tokenSecret],
    client_secret: [before.clientCredentials?.secret, after.clientCredentials?.secret],
  };
  const changed = Object.entries(secrets).filter(([, [old, current]]) => old !== current);
  return Object.fromEntries(
    changed.map(([name, [, current]]) => [name, current === undefined ? 'removed' : 'changed']),
  );
}
