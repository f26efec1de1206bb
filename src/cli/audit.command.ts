import type { Command } from 'commander';
import { AuditLog } from '../audit/audit-log.service.js';
import { AuditSeals, type Verification } from '../audit/audit-seals.service.js';
import { toEntry } from '../audit/audit-entry.js';
import { AppError } from '../errors/app-error.js';
import { appNamed, type RunWithApp } from './run-with-app.js';

interface ListOptions {
  readonly target?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
}

const entriesAtOnce = 100;

export function addAuditCommands(program: Command, run: RunWithApp): void {
  const command = program.command('audit').description('who changed what: list and verify the audit trail of an app');
  command
    .command('list')
    .argument('<ORG/APP>')
    .option('--target <name>', 'a username, the id of a group, or ORG/APP')
    .option('--actor <actor>', 'app_token, user:NAME, command_line:NAME, system …')
    .option('--action <action>', 'as user.ban')
    .option('--from <time>', 'ISO 8601, as 2026-11-26 or 2026-11-26T19:00:00Z')
    .option('--to <time>', 'the same, exclusive')
    .option('--limit <count>', 'how many entries', '100')
    .description('print entries as JSON lines, newest first')
    .action((text: string, options: ListOptions) =>
      run(async (context) => {
        const { id } = await appNamed(context, text);
        const filter = {
          ...{ target: options.target?.toLowerCase(), actor: options.actor, action: options.action },
          ...{ fromMs: timeOf('--from', options.from), toMs: timeOf('--to', options.to) },
        };
        let left = countOf(options.limit);
        for (let cursor: string | null | undefined; cursor !== null && left > 0;) {
          const page = await context.get(AuditLog).list(id, filter, Math.min(left, entriesAtOnce), cursor ?? null);
          for (const row of page.entries) console.log(JSON.stringify(toEntry(row)));
          left -= page.entries.length;
          cursor = page.cursor;
        }
      }),
    );
  command
    .command('verify')
    .argument('<ORG/APP>')
    .option('--seal <NUMBER:HASH>', 'a seal that an earlier run has printed: it must still be there')
    .description('compare the audit trail with its seals; exits with 1 if entries were changed, added or removed')
    .action((text: string, { seal }: { seal?: string }) =>
      run(async (context) => {
        const { id } = await appNamed(context, text);
        const seals = context.get(AuditSeals);
        const result = await seals.verify(id);
        const known = seal === undefined || (await isKept(seals, id, seal));
        if (!known) console.error(`the chain does not have the seal ${seal}`);
        report(result);
        if (!known || result.broken.length > 0) process.exitCode = 1;
      }),
    );
}

async function isKept(seals: AuditSeals, appId: string, seal: string): Promise<boolean> {
  const [, number, hash] = /^(\d{1,15}):([\w-]{43})$/.exec(seal) ?? [];
  if (hash === undefined) throw new AppError('argument_invalid', { detail: '--seal must be NUMBER:HASH' });
  return (await seals.hashOf(appId, Number(number))) === hash;
}

function report({ first, last, seals, entries, broken }: Verification): void {
  for (const { number, fromMs, toMs, problem } of broken)
    console.log(`seal ${number}, from ${timeText(fromMs)} to ${timeText(toMs)}: ${problem}`);
  if (first === null || last === null) {
    console.log('nothing is sealed yet: entries are within a few minutes');
    return;
  }
  const right = broken.length === 0 ? 'all right' : `${broken.length} of them broken`;
  console.log(`${seals} seals over ${entries} entries since ${timeText(first.from_at)}: ${right}`);
  console.log(`the last seal is ${last.number}:${last.hash}, up to ${timeText(last.to_at)}`);
}

function timeText(ms: number): string {
  return ms === 0 ? 'the beginning' : new Date(ms).toISOString();
}

/** @throws AppError argument_invalid */
function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new AppError('argument_invalid', { detail: `${option} must be an ISO 8601 time` });
  return ms;
}

/** @throws AppError argument_invalid */
function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new AppError('argument_invalid', { detail: '--limit must be a whole number above 0' });
  return Number(text);
}
