import { startFailure } from './start-failure.js';
import { refusalOf } from './database/database-refused.js';

const failure = (members: object): Error => Object.assign(new Error('as the system says it'), members);

describe('why a start failed', () => {
  it.each([
    [{ code: 'EACCES', syscall: 'listen', address: '0.0.0.0', port: 80 }, 'PORT: this user may not listen on 80'],
    [{ code: 'EADDRINUSE', syscall: 'listen', address: '::1', port: 1 }, '::1:1 is in use by another program'],
    [{ code: 'EADDRNOTAVAIL', syscall: 'listen', address: '10.9.9.9' }, 'HOST: 10.9.9.9 is no address of this machine'],
    [{ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'x' }, 'HOST: there is no address for x'],
    [{ code: 'ENOBUFS', syscall: 'listen' }, 'HOST, PORT: as the system says it'],
  ])('%j is one sentence', (members, sentence) => {
    const told = startFailure(failure(members));
    expect(told).toContain(sentence);
    expect(told).not.toContain('\n');
  });

  it('is one sentence if SQLite was built for another system', () => {
    const error = failure({ code: 'ERR_DLOPEN_FAILED' });
    const told = startFailure(refusalOf(error, { type: 'better-sqlite3', database: './data/x.sqlite' }));
    expect(told).toContain(`SQLite does not load on ${process.platform}-${process.arch} (as the system says it)`);
    expect(told).not.toContain('\n');
  });

  it('includes the stack if it is a bug in Rollcall', () => {
    const bug = new TypeError('x is not a function');
    expect(startFailure(bug)).toBe(bug.stack);
    const ofDatabase = failure({ code: 'ER_PARSE_ERROR' });
    expect(refusalOf(ofDatabase, { type: 'mysql' })).toBe(ofDatabase);
  });
});
