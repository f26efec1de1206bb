import { randomBytes } from 'node:crypto';

/** A valid name that no other test uses. */
export function aUsername(prefix = 'user'): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

/** The smallest body that registers a user through the Agora dialect. */
export function aRegistration(overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { username: aUsername(), password: 'secret', ...overrides };
}

/** This many such bodies, ordered by name. */
export function registrations(count: number, prefix = aUsername('batch')): Record<string, unknown>[] {
  return Array.from({ length: count }, (_none, index) =>
    aRegistration({ username: `${prefix}-${String(index).padStart(4, '0')}` }),
  );
}
