const forms =
  'sqlite:PATH, such as sqlite:./data/rollcall.sqlite or sqlite:/var/lib/rollcall.sqlite, or sqlite::memory:';

/**
 * The URL of an SQLite database in its one form: `sqlite:` and a path relative to the current folder or from the root,
 * or `sqlite::memory:`. After two slashes comes a host, which a file does not have, so `sqlite://./x` is refused and
 * `sqlite:///x` is `/x`.
 * @throws Error that says what is valid and repeats nothing
 */
export function parseSqliteUrl(text: string): string {
  const path = text.slice('sqlite:'.length).replace(/^\/\/(?=\/[^/])/, '');
  if (path === ':memory:') return text;
  if (path.startsWith('//')) throw new Error(`must be ${forms}: two slashes would name a host`);
  if (/[?#]/.test(path)) throw new Error(`must be ${forms}, without options after it`);
  if (path === '' || path.startsWith(':') || /(^|\/)\.{0,2}$/.test(path)) throw new Error(`must be ${forms}`);
  return `sqlite:${path}`;
}
