import { randomBytes } from 'node:crypto';
import { Seal, type SealedSecrets } from './seal.js';

const [one, other] = [randomBytes(32), randomBytes(32)];
const secrets: SealedSecrets = {
  certificate: 'A'.repeat(32),
  previous_certificate: 'b'.repeat(32),
  client_secret: 'd'.repeat(128),
  token_secret: 'c'.repeat(64),
};
const row = { id: 'app-1', ...secrets };
const sealedRow = (seal: Seal) => ({ id: 'app-1', ...seal.sealAll(row) });

describe('the seal', () => {
  it('opens sealed text, which contains no secret and fits the columns', () => {
    const sealed = sealedRow(new Seal([one]));
    for (const [column, text] of Object.entries(secrets)) {
      const inRow = sealed[column as keyof SealedSecrets] as string;
      expect(inRow).toMatch(/^sealed1\.[0-9a-f]{8}\.[\w-]+$/);
      expect(inRow).not.toContain(text);
      expect(inRow.length).toBeLessThanOrEqual(255);
    }
    expect(new Seal([one]).openAll(sealed)).toEqual(secrets);
  });

  it('produces different text each time', () => {
    const seal = new Seal([one]);
    expect(sealedRow(seal).certificate).not.toBe(sealedRow(seal).certificate);
  });

  it('passes unsealed text through, and seals nothing without a key', () => {
    expect(new Seal([one]).openAll(row)).toEqual(secrets);
    for (const seal of [new Seal([]), new Seal([null, one])]) expect(seal.sealAll(row)).toEqual(secrets);
    const bare = { ...row, previous_certificate: null, token_secret: '' };
    expect(new Seal([one]).sealAll(bare)).toMatchObject({ previous_certificate: null, token_secret: '' });
  });

  it('opens with every configured key, and seals with the first', () => {
    const before = sealedRow(new Seal([one]));
    for (const seal of [new Seal([other, one]), new Seal([null, one])]) expect(seal.openAll(before)).toEqual(secrets);
    const after = sealedRow(new Seal([other, one]));
    expect(new Seal([other]).openAll(after)).toEqual(secrets);
    expect(() => new Seal([one]).openAll(after)).toThrow(/SEALING_KEY does not open the certificate of the app app-1/);
  });

  it('recognizes rows that are stored as the current keys would store them', () => {
    const [plain, sealed] = [row, sealedRow(new Seal([one]))];
    const current = (seal: Seal) => [plain, sealed].map((each) => seal.isCurrent(each));
    expect(current(new Seal([]))).toEqual([true, false]);
    expect(current(new Seal([null, one]))).toEqual([true, false]);
    expect(current(new Seal([one]))).toEqual([false, true]);
    expect(current(new Seal([other, one]))).toEqual([false, false]);
    expect(new Seal([one]).isCurrent({ ...sealed, previous_certificate: secrets.previous_certificate })).toBe(false);
  });

  it('does not open text that was changed in any bit, truncated, or moved to another app or column', () => {
    const seal = new Seal([one]);
    const sealed = sealedRow(seal);
    const refuse = (spoilt: object) =>
      expect(() => seal.openAll({ ...sealed, ...spoilt })).toThrow(/SEALING_KEY does not open/);
    refuse({ id: 'app-2' });
    refuse({ certificate: sealed.previous_certificate });
    refuse({ previous_certificate: sealed.certificate });
    const [form = '', key = '', body = ''] = sealed.certificate.split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let index = 0; index < bytes.length * 8; index += 1) {
      const flipped = Buffer.from(bytes);
      flipped[index >> 3] = (flipped[index >> 3] as number) ^ (1 << (index & 7));
      refuse({ certificate: [form, key, flipped.toString('base64url')].join('.') });
    }
    for (const length of [1, 12, 27, 28, bytes.length - 1])
      refuse({ certificate: [form, key, bytes.subarray(0, length).toString('base64url')].join('.') });
  });

  it('reveals no secret and no key when it fails', () => {
    const sealed = sealedRow(new Seal([one]));
    let message = '';
    try {
      new Seal([other]).openAll(sealed);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/was sealed with the key [0-9a-f]{8}/);
    for (const secret of [one.toString('hex'), one.toString('base64'), other.toString('hex'), secrets.certificate])
      expect(message).not.toContain(secret);
  });
});
