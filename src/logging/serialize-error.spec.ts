import { AppError } from '../errors/app-error.js';
import { errorText, serializeError } from './serialize-error.js';

describe('serializeError', () => {
  const sql = "INSERT INTO users (app_id, password_hash) VALUES ('a', '$argon2id$hash')";
  const ofDriver = Object.assign(new Error("Table 'users' doesn't exist"), {
    code: 'ER_NO_SUCH_TABLE',
    errno: 1146,
    sql,
  });
  const error = new AppError('internal', { cause: ofDriver });

  it('includes the kind and origin of an error and of its cause', () => {
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

  it('includes no SQL statement and no parameter values', () => {
    expect(JSON.stringify(serializeError(error)) + errorText(error)).not.toMatch(/INSERT|argon2/);
  });

  it('does not reveal a thrown value that is not an error', () => {
    expect([
      serializeError({ password: 'secret' }),
      errorText({ password: 'secret' }),
      serializeError('a text'),
    ]).toEqual(['a thrown object', 'a thrown object', 'a text']);
  });
});
