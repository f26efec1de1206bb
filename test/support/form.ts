/**
 * The two forms of the suites in `test/faults/`: short in `npm test`, long in `npm run test:faults -- --long`, which
 * sets TEST_LONG and TEST_SEED.
 */
export const longForm = process.env.TEST_LONG === '1';

/**
 * For a suite that measures times: the short form shares two processors with another suite, so a failing test is
 * reported and repeated up to twice. Never for a suite about lost data, access or counts.
 */
export function retryTimingTests(): void {
  if (!longForm) jestOf(import.meta).retryTimes(2, { logErrorsBeforeRetry: true });
}

/** This many in the short form, that many in the long one. */
export function runs(short: number, long: number): number {
  return longForm ? long : short;
}

/** The seed of a suite's random choices. Every suite that uses it prints it on failure. */
export const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Numbers from 0 to 1 that depend only on `seed`; `name` separates the tests of a run. */
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

/** jest's own object. The package to import it from would bring along the types of browsers. */
function jestOf(meta: ImportMeta): { retryTimes(times: number, options: { logErrorsBeforeRetry: boolean }): void } {
  return (meta as ImportMeta & { jest: ReturnType<typeof jestOf> }).jest;
}
