import { loadEnv } from './env.js';

const read = (url: string) => loadEnv({ DATABASE_URL: url }).databaseUrl;

describe('the URL of an SQLite database', () => {
  it.each([
    ['sqlite:./x', 'sqlite:./x'],
    ['sqlite:x.sqlite', 'sqlite:x.sqlite'],
    ['sqlite:../x', 'sqlite:../x'],
    ['sqlite:/srv/x', 'sqlite:/srv/x'],
    ['sqlite:///srv/x', 'sqlite:/srv/x'],
    ['sqlite::memory:', 'sqlite::memory:'],
  ])('%s means %s', (url, meant) => expect(read(url)).toBe(meant));

  it.each([
    ...['sqlite:', 'sqlite:/', 'sqlite://', 'sqlite:///', 'sqlite:.', 'sqlite:..', 'sqlite:data/', 'sqlite:./'],
    ...['sqlite://./canary', 'sqlite://canary/x', 'sqlite://:memory:', 'sqlite:////canary', 'sqlite::canary:'],
    ...['sqlite:canary?mode=ro', 'sqlite::memory:?cache=shared', 'sqlite:./canary#x'],
  ])('%s is refused with the forms that are right, and without its value', (url) => {
    expect(() => read(url)).toThrow(/DATABASE_URL must be sqlite:PATH, such as sqlite:\.\/.* or sqlite::memory:/);
    expect(() => read(url)).not.toThrow(/canary/);
  });
});
