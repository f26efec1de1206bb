import { isIP } from 'node:net';

/** How far the server is trusted, in the terms of MySQL's own client. */
export type TlsMode = 'DISABLED' | 'REQUIRED' | 'VERIFY_CA' | 'VERIFY_IDENTITY';

export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string;
  /** null: the URL does not say. */
  readonly tlsMode: TlsMode | null;
}

export const mysqlForm = 'mysql://user:password@host:port/database';

/** The spellings of MySQL's client, of JDBC, and of drivers in other languages. */
const tlsParameters = ['sslmode', 'tls', 'ssl'];
const tlsModes: Readonly<Record<string, TlsMode>> = {
  disabled: 'DISABLED',
  disable: 'DISABLED',
  false: 'DISABLED',
  required: 'REQUIRED',
  require: 'REQUIRED',
  skipverify: 'REQUIRED',
  verifyca: 'VERIFY_CA',
  verifyidentity: 'VERIFY_IDENTITY',
  verifyfull: 'VERIFY_IDENTITY',
  true: 'VERIFY_IDENTITY',
};

/**
 * @throws Error with a sentence that says what would be right, and repeats nothing of the URL except parameter names
 */
export function parseMysqlAddress(text: string): MysqlAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const database = /^\/([^/]+)$/.exec(url?.pathname ?? '')?.[1];
  if (url === null || url.protocol !== 'mysql:' || url.hostname === '' || database === undefined || url.hash !== '')
    return failForm();
  const host = decoded(url.hostname.replace(/^\[|\]$/g, ''));
  const tlsMode = tlsModeOf(url.searchParams);
  if (tlsMode === 'VERIFY_IDENTITY' && isIP(host) !== 0)
    throw new Error('must name its host to VERIFY_IDENTITY; with an address only VERIFY_CA is possible');
  return {
    host,
    port: url.port === '' ? 3306 : Number(url.port),
    user: url.username === '' ? undefined : decoded(url.username),
    password: url.password === '' ? undefined : decoded(url.password),
    database: decoded(database),
    tlsMode,
  };
}

function tlsModeOf(parameters: URLSearchParams): TlsMode | null {
  let found: TlsMode | null = null;
  for (const [name, value] of parameters) {
    if (!tlsParameters.includes(plain(name)) || found !== null)
      throw new Error(`must not have the parameter ${shown(name)}: only one has an effect, ssl-mode`);
    found = tlsModes[plain(value)] ?? null;
    if (found === null) throw new Error(`must have ${shown(name)} as DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY`);
  }
  return found;
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '');
}

/** A password that was not percent-encoded may look like a parameter. */
function shown(name: string): string {
  return /^[A-Za-z_-]{1,30}$/.test(name) ? name : 'it has';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return failForm();
  }
}

function failForm(): never {
  throw new Error(`must be ${mysqlForm}; in the password, %40 stands for @, %2F for / and %25 for %`);
}
