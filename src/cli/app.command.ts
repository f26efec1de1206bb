import { text as readText } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import type { App } from '../apps/app.js';
import { parseAppName } from '../apps/app-name.js';
import { AppsService } from '../apps/apps.service.js';
import { AppError } from '../errors/app-error.js';
import { appNamed, type RunWithApp } from './run-with-app.js';

export function addAppCommands(program: Command, run: RunWithApp): void {
  const command = program.command('app').description('create, list and change apps');
  command
    .command('create')
    .argument('<ORG/APP>')
    .option('--app-id <hex>', 'App ID, 32 hex digits; random by default')
    .addOption(
      new Option(
        '--certificate <hex>',
        'App certificate, 32 hex digits; random by default. Others on this machine see it in the list of processes: better ' +
          '"-", which reads it from standard input',
      ).env('ROLLCALL_CERTIFICATE'),
    )
    .option('--alias <name>', 'another name for the App ID, for the Qiscus dialect')
    .description('create an app')
    .action(async (text: string, options: { appId?: string; certificate?: string; alias?: string }) => {
      const certificate = options.certificate === '-' ? await readSecret() : options.certificate;
      const wanted = { ...parseAppName(text), ...options, ...(certificate === undefined ? {} : { certificate }) };
      await run(async (context) => print(await context.get(AppsService).create(wanted)));
    });
  command
    .command('list')
    .description('list all apps with their credentials')
    .action(() => run(async (context) => (await context.get(AppsService).list()).forEach(print)));
  command
    .command('set')
    .argument('<ORG/APP>')
    .argument('<KEY=VALUE...>')
    .description(
      'change settings of an app; an unknown key lists the valid ones. "client_secret=-" reads it from standard input, as ' +
        'the list of processes shows arguments',
    )
    .action((text: string, changes: string[]) =>
      run(async (context) => {
        const pairs: [key: string, value: string][] = [];
        for (const change of changes) {
          const [, key, value] = /^([a-z_]+)=(.*)$/.exec(change) ?? [];
          if (key === undefined || value === undefined)
            throw new AppError('argument_invalid', { detail: `"${change}" must be KEY=VALUE` });
          pairs.push([key, key === 'client_secret' && value === '-' ? await readSecret() : value]);
        }
        print(await context.get(AppsService).setAll(await appNamed(context, text), pairs));
      }),
    );
  command
    .command('rotate')
    .argument('<ORG/APP>')
    .description('draw a new certificate; the previous one stays valid until the next rotation')
    .action((text: string) =>
      run(async (context) => print(await context.get(AppsService).rotate(await appNamed(context, text)))),
    );
  command
    .command('replace-secrets')
    .argument('<ORG/APP>')
    .description(
      'after a leak: a new certificate and no other, and all user tokens, sessions and app tokens of before end',
    )
    .action((text: string) =>
      run(async (context) => print(await context.get(AppsService).replaceSecrets(await appNamed(context, text)))),
    );
}

async function readSecret(): Promise<string> {
  return (await readText(process.stdin)).trim();
}

function print(app: App): void {
  const { certificates, clientCredentials: pair, settings } = app;
  console.log(
    JSON.stringify(
      {
        app: `${app.org}/${app.name}`,
        application: app.id,
        app_id: app.appId,
        certificate: certificates[0],
        ...(certificates[1] === undefined ? {} : { previous_certificate: certificates[1] }),
        ...(pair === null ? {} : { client_id: pair.id, client_secret: pair.secret }),
        alias: app.alias,
        disabled: app.disabled,
        settings,
      },
      null,
      2,
    ),
  );
}
