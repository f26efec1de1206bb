import { AppError } from '../errors/app-error.js';

/** First path segments that are Rollcall's own routes, and so cannot be the name of an organisation. */
export const reservedOrgs: ReadonlySet<string> = new Set([
  'api',
  'app-id',
  'console',
  'docs',
  'health',
  'metrics',
  '_emulator',
]);

const legal = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Whether this may be the name of an organisation, an app or an alias. Checked before every look-up of a name from a
 * request: MariaDB ignores trailing blanks, so `orga ` would find `orga` and bypass a proxy's rule for `/orga/`.
 */
export function isLegalName(text: string): boolean {
  return legal.test(text);
}

/** Splits `org/app`. @throws AppError argument_invalid, saying what would be right */
export function parseAppName(text: string): { org: string; name: string } {
  const [org = '', name = '', ...rest] = text.split('/');
  if (rest.length > 0 || !isLegalName(org) || !isLegalName(name))
    throw new AppError('argument_invalid', {
      detail: 'an app is named ORG/APP, each 1 to 64 of A-Z a-z 0-9 . _ - and beginning with a letter or digit',
    });
  if (reservedOrgs.has(org.toLowerCase()))
    throw new AppError('argument_invalid', {
      detail: `"${org}" cannot be an organisation: ${[...reservedOrgs].join(', ')} are reserved`,
    });
  return { org, name };
}
