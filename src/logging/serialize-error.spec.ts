import { AppError } from '../errors/app-error.js';
import { errorText, serializeError } from './serialize-error.js';

describe('what is told of an error', () => {
  const sql = "INSERT INTO users (app_id, password_hash) VALUES ('a', '$argon2id$hash')";
  const ofDriver = Object.assign(new Error("Table 'users' doesn't exist"), {
    code: 'ER_NO_SUCH_TABLE',
    errno: 1146,
    sql,
  });
  const error = new AppError('internal', { cause: ofDriver });

  it('is what kind of error it is, where it came from, and the same of its cause', () => {
    expect(serializeError(error)).toEqual({
      type: 'AppError',
      message: error.message,
      stack: error.stack,
      code: 'internal',
      cause: {
        ...{ type: 'Error', message: ofDriver.message, stack: ofDriver.stack },
        ...{ code: 'ER_NO_SUCH_TABLE', errno: 1146 },
      },
    });
    expect(errorText(error)).toContain("caused by: Error: Table 'users' doesn't exist");
  });

  it('has no statement and no value of one', () => {
    expect(JSON.stringify(serializeError(error)) + errorText(error)).not.toMatch(/INSERT|argon2/);
  });

  it('does not show what was thrown and is no error', () => {
    expect([
      serializeError({ password: 'secret' }),
      errorText({ password: 'secret' }),
      serializeError('a text'),
    ]).toEqual(['a thrown object', 'a thrown object', 'a text']);
  });
});
