import type { INestApplicationContext } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { parseAppName } from '../apps/app-name.js';
import { AppsService } from '../apps/apps.service.js';
import { AppError } from '../errors/app-error.js';

/** @param makesDatabase create a missing SQLite file; otherwise that is an error */
export type RunWithApp = (
  work: (app: INestApplicationContext) => Promise<void>,
  options?: { readonly makesDatabase: boolean },
) => Promise<void>;

/** The app that `ORG/APP` on the command line names. @throws AppError argument_invalid */
export async function appNamed(context: INestApplicationContext, text: string): Promise<App> {
  const { org, name } = parseAppName(text);
  const app = await context.get(AppsService).find(org, name);
  if (app === null) throw new AppError('argument_invalid', { detail: `there is no app ${org}/${name}; see app list` });
  return app;
}
