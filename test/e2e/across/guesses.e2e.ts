import { AppsService } from '../../../src/apps/apps.service.js';
import { PasswordHasher } from '../../../src/passwords/password-hasher.service.js';
import { AppError } from '../../../src/errors/app-error.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('while the service is too busy to compare passwords', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp();
    await running.nest.get(AppsService).set(running.app, 'alias', 'guesses-test');
    for (const username of ['ann', 'bob']) await running.register(username);
  });
  afterAll(() => running.stop());

  const agora = async (password: string) => {
    const body = { grant_type: 'password', username: 'ann', password };
    return (await running.call('post', '/token', { token: null, body })).status;
  };
  const qiscus = async (password: string) => {
    const [body, headers] = [{ email: 'bob', password }, { 'qiscus-sdk-app-id': 'guesses-test' }];
    return (await running.call('post', '//api/v2/sdk/login_or_register', { token: null, body, headers })).status;
  };

  it.each([
    ['the Agora dialect', agora, 400],
    ['the Qiscus dialect', qiscus, 401],
  ])(
    '503 in %s does not count as a guess, and ten wrong passwords afterwards still do',
    async (_what, logIn, wrong) => {
      const hasher = running.nest.get(PasswordHasher);
      const statuses = async (count: number, password: string) => {
        const answers: number[] = [];
        for (let round = 0; round < count; round += 1) answers.push(await logIn(password));
        return answers;
      };
      // The hasher's own refusal, which it would take thousands of simultaneous logins to provoke.
      hasher.verify = () => Promise.reject(new AppError('overloaded', { retryAfterMs: 1_000 }));
      expect(await statuses(20, 'secret')).toEqual(Array<number>(20).fill(503));
      Reflect.deleteProperty(hasher, 'verify');
      expect(await statuses(1, 'secret')).toEqual([200]);
      expect(await statuses(11, 'wrong')).toEqual([...Array<number>(10).fill(wrong), 429]);
    },
  );
});
