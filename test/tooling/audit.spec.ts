import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const script = join(import.meta.dirname, '../../scripts/audit.mjs');
let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'rollcall-test-'))));
afterEach(() => rmSync(folder, { recursive: true }));

/** `npm run audit` when npm gives this answer. */
function audit(answer: string, code: number): { status: number | null; stdout: string } {
  const npm = join(folder, 'npm');
  writeFileSync(join(folder, 'answer'), answer);
  writeFileSync(npm, `#!/bin/sh\ncat "${folder}/answer"\nexit ${code}\n`);
  chmodSync(npm, 0o755);
  const PATH = [folder, process.env.PATH].join(delimiter);
  return spawnSync(process.execPath, [script], { encoding: 'utf8', env: { PATH } });
}

describe('npm run audit', () => {
  it('exits with 0 if the registry knows of nothing', () => {
    const { status, stdout } = audit(JSON.stringify({ auditReportVersion: 2, vulnerabilities: {} }), 0);
    expect([status, stdout]).toEqual([0, expect.stringContaining('The registry: no advisory')]);
  });

  it('exits with 1 if it knows of an advisory, and names it', () => {
    const ws = {
      ...{ name: 'ws', severity: 'high', range: '<9' },
      via: [{ title: 'A hole', url: 'https://example.com/GHSA' }, 'other'],
    };
    const { status, stdout } = audit(JSON.stringify({ auditReportVersion: 2, vulnerabilities: { ws } }), 1);
    expect(status).toBe(1);
    expect(stdout).toContain('ws <9: high: A hole https://example.com/GHSA; through other\n');
  });

  it.each([
    ['refuses', JSON.stringify({ message: '405 Method Not Allowed', error: {} })],
    ['is away', ''],
    ['answers something else', '<html>'],
  ])('exits with 2 and says so if the registry %s', (_how, answer) => {
    const { status, stdout } = audit(answer, 1);
    expect([status, stdout]).toEqual([2, expect.stringContaining('The registry gave no answer')]);
    expect(stdout).toContain('packages is below its floor');
  });
});
