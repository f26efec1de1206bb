/**
 * The two forms of the suites under `test/faults/`: short in `npm test`, long in `npm run test:faults -- --long`, which
 * sets TEST_LONG and TEST_SEED.
 */
export const longForm = process.env.TEST_LONG === '1';

/** So many in the short form, so many in the long one. */
export function runs(short: number, long: number): number {
  return longForm ? long : short;
}

/** What random choices of a suite begin with. Every suite that uses it prints it when it fails. */
export const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
