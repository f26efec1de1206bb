import type { KeyPosition } from '../database/key-range.js';
import type { Candidate } from './search-source.js';

/** The candidates after a position, in the order that the walk of an index would have. */
export function sortedFrom(
  candidates: readonly Candidate[],
  descending: boolean,
  after: KeyPosition | null,
): readonly Candidate[] {
  const direction = descending ? -1 : 1;
  return candidates
    .filter(({ position }) => after === null || direction * comparePositions(position, after) > 0)
    .toSorted((one, other) => direction * comparePositions(one.position, other.position));
}

function comparePositions(one: KeyPosition, other: KeyPosition): number {
  return compareValues(one.key, other.key) || compareValues(one.tie, other.tie);
}

/** Both engines compare text by code points, JavaScript by UTF-16 units. */
function compareValues(one: KeyPosition['key'], other: KeyPosition['key']): number {
  if (typeof one === 'string' && typeof other === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(other));
  return Number(one) - Number(other);
}
