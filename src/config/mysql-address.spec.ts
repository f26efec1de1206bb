import { parseMysqlAddress } from './mysql-address.js';

describe('the URL of a MySQL server', () => {
  it('is parsed, including IPv6 and percent-encoded characters', () => {
    expect(parseMysqlAddress('mysql://app:p%40ss%2Fw%25rd%3A%23@[::1]:3307/chat')).toEqual({
      host: '::1',
      port: 3307,
      user: 'app',
      password: 'p@ss/w%rd:#',
      database: 'chat',
      tlsMode: null,
    });
    expect(parseMysqlAddress('mysql://db.example/chat%20users')).toEqual({
      host: 'db.example',
      port: 3306,
      user: undefined,
      password: undefined,
      database: 'chat users',
      tlsMode: null,
    });
  });

  it.each([
    ['ssl-mode=REQUIRED', 'REQUIRED'],
    ['sslmode=require', 'REQUIRED'],
    ['tls=skip-verify', 'REQUIRED'],
    ['ssl_mode=verify_ca', 'VERIFY_CA'],
    ['sslMode=VERIFY_CA', 'VERIFY_CA'],
    ['ssl-mode=VERIFY_IDENTITY', 'VERIFY_IDENTITY'],
    ['sslmode=verify-full', 'VERIFY_IDENTITY'],
    ['tls=true', 'VERIFY_IDENTITY'],
    ['ssl=true', 'VERIFY_IDENTITY'],
    ['ssl-mode=DISABLED', 'DISABLED'],
    ['tls=false', 'DISABLED'],
  ])('takes TLS by ?%s as %s', (parameter, tlsMode) => {
    expect(parseMysqlAddress(`mysql://u:p@db.example/d?${parameter}`)).toMatchObject({ host: 'db.example', tlsMode });
  });
});
