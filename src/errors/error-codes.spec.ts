import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { renderAgoraError } from '../api/agora/agora-error-body.js';
import { FixedClock } from '../../test/support/fixed-clock.js';
import { AppError } from './app-error.js';
import { errorCodes } from './error-codes.js';

const request = {
  url: '/org/app/users?x=1',
  server: { rollcall: { clock: new FixedClock(), publicUrl: null } },
  rollcall: { startedAt: 0 },
  routeOptions: { url: '/:org/:app/users' },
} as unknown as FastifyRequest;

describe('error codes', () => {
  it.each(errorCodes)('%s has a form in the Agora dialect, with and without details', (code) => {
    for (const error of [new AppError(code), new AppError(code, { detail: 'detail', count: 61, limit: 60 })]) {
      const { status, body } = renderAgoraError(error, request);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      // Errors about messages have a number as well.
      const members = Object.keys(body).filter((member) => member !== 'error_code');
      expect(members).toEqual(['error', 'exception', 'timestamp', 'duration', 'error_description']);
      for (const text of [body.error, body.exception, body.error_description]) expect(text).toMatch(/\S/);
      expect(body.error).toMatch(/^[a-z_]+$/);
    }
  });

  it('that are faults of ours or of the machine say nothing of the cause', () => {
    for (const code of ['internal', 'database_unavailable', 'overloaded'] as const) {
      const { body } = renderAgoraError(new AppError(code, { detail: 'canary', cause: new Error('canary') }), request);
      expect(JSON.stringify(body)).not.toContain('canary');
    }
  });

  it('are each listed in docs/errors.md, and no others', async () => {
    const text = await readFile(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
    const listed = [...text.matchAll(/^\| *`([a-z_]+)`/gm)].map(([, code]) => code);
    expect(listed.sort()).toEqual([...errorCodes].sort());
  });
});
