/** @param {string} version */
const numbersOf = (version) => (version.match(/\d+/g) ?? []).slice(0, 3).map(Number);

/**
 * Whether a version is in a range of the form that `engines` has here: `^22.14.0 || >=24.11.0`.
 *
 * @param {string} version @param {string} range
 */
export function isInRange(version, range) {
  const actual = numbersOf(version);
  return range.split('||').some((part) => {
    const lowest = numbersOf(part);
    const firstDifference = lowest.map((number, index) => (actual[index] ?? 0) - number).find(Boolean) ?? 0;
    return firstDifference >= 0 && (part.includes('>=') || actual[0] === lowest[0]);
  });
}
