import fc from 'fast-check';
import { AppError } from '../errors/app-error.js';
import { readDuration, readInstant } from './ban-times.js';

describe('readDuration', () => {
  it.each([
    ['7d', 7 * 86_400_000],
    ['36h', 36 * 3_600_000],
    ['1d12h', 36 * 3_600_000],
    ['2w', 14 * 86_400_000],
    ['30m', 1_800_000],
    ['1s', 1_000],
    ['PT30M', 1_800_000],
    ['P7D', 7 * 86_400_000],
    ['P1W', 7 * 86_400_000],
    ['P1DT12H', 36 * 3_600_000],
  ])('%s', (text, ms) => {
    expect(readDuration(text)).toBe(ms);
  });

  it.each(['', '0d', '7', 'd', '7D', '-7d', '1.5h', '12h1d', 'P', 'PT', 'P1DT', 'P1M', 'P1Y', '7d ', '99999999w'])(
    'refuses %j and says what is right',
    (text) => {
      expect(() => readDuration(text)).toThrow(/such as 7d, 36h, 1d12h or PT30M/);
    },
  );
});

describe('readInstant', () => {
  it.each<[unknown, number]>([
    [1_798_761_600_000, 1_798_761_600_000],
    ['1798761600000', 1_798_761_600_000],
    ['2027-01-01T00:00:00Z', 1_798_761_600_000],
    ['2027-01-01', 1_798_761_600_000],
    ['2027-01-01T01:00+01:00', 1_798_761_600_000],
    ['2028-02-29T00:00:00.5Z', 1_835_395_200_500],
  ])('%j', (value, ms) => {
    expect(readInstant('ends_at', value)).toBe(ms);
  });

  it.each<unknown>([
    ...[1_798_761_600, '1798761600', 1.5e12 + 0.5, -1, NaN, true, {}, [], '', 'tomorrow', '2027-13-01'],
    ...['2027-02-29', '2027-01-01T00:00:00', '2027-01-01 00:00:00Z', '2027-01-01T24:00:00Z'],
  ])('refuses %j and says what is right', (value) => {
    expect(() => readInstant('ends_at', value)).toThrow(/ends_at must be Unix milliseconds such as/);
  });

  it('reads every instant that JavaScript writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100_000_000_000, max: 253_402_300_799_999 }), (ms) => {
        expect(readInstant('ends_at', new Date(ms).toISOString())).toBe(ms);
      }),
    );
  });

  it('fails in no other way', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          readInstant('x', value);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});
