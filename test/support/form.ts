/**
 * The two forms of the suites under `test/faults/`: short in `npm test`, long in `npm run test:faults -- --long`, which
 * sets TEST_LONG and TEST_SEED.
 */
export const longForm = process.env.TEST_LONG === '1';

/**
 * For a suite whose figures are times: the short form shares two processors with another suite, so a test that fails is
 * told, and looked at twice more. Never for a suite about what is lost, let in or counted.
 */
export function secondLookAtTimes(): void {
  if (!longForm) jestOf(import.meta).retryTimes(2, { logErrorsBeforeRetry: true });
}

/** So many in the short form, so many in the long one. */
export function runs(short: number, long: number): number {
  return longForm ? long : short;
}

/** What random choices of a suite begin with. Every suite that uses it prints it when it fails. */
export const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Numbers from 0 to 1 that only depend on `seed`; `name` keeps the tests of a run apart. */
export function randomFrom(name: string): () => number {
  let state = seed ^ [...name].reduce((hash, character) => Math.imul(hash, 31) + character.charCodeAt(0), 7);
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** jest's own object. The package that exports it to import would bring the types of browsers with it. */
function jestOf(meta: ImportMeta): { retryTimes(times: number, options: { logErrorsBeforeRetry: boolean }): void } {
  return (meta as ImportMeta & { jest: ReturnType<typeof jestOf> }).jest;
}
