import type { Command } from 'commander';
import { TokensService } from '../auth/tokens.service.js';
import { AppError } from '../errors/app-error.js';
import { UsersService } from '../users/users.service.js';
import { appNamed, type RunWithApp } from './run-with-app.js';

/** Prints only the token, for `TOKEN=$(npm run -s cli -- token app ORG/APP)`. */
export function addTokenCommands(program: Command, run: RunWithApp): void {
  const command = program.command('token').description('issue tokens');
  const ttl = ['--ttl <seconds>', "life of the token, 0 for the longest; without it the app's setting"] as const;
  command
    .command('app')
    .argument('<ORG/APP>')
    .option(...ttl)
    .description('an app token')
    .action((text: string, options: { ttl?: string }) =>
      run(async (context) => {
        const app = await appNamed(context, text);
        console.log(context.get(TokensService).issueAppToken(app, secondsOf(options.ttl)).accessToken);
      }),
    );
  command
    .command('user')
    .argument('<ORG/APP>')
    .argument('<USER>')
    .option(...ttl)
    .description('a token of one user')
    .action((text: string, username: string, options: { ttl?: string }) =>
      run(async (context) => {
        const app = await appNamed(context, text);
        const user = await context.get(UsersService).find(app.id, username);
        if (user === null)
          throw new AppError('argument_invalid', { detail: `there is no user ${username} in ${text}` });
        console.log(context.get(TokensService).issueUserToken(app, user, secondsOf(options.ttl)).accessToken);
      }),
    );
}

function secondsOf(text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d{1,15}$/.test(text))
    throw new AppError('argument_invalid', { detail: '--ttl must be a whole number of seconds' });
  return text === undefined ? undefined : Number(text);
}
