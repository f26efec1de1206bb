/** The time that so large a share of them does not exceed; 0 of none. */
export function percentile(times: readonly number[], share: number): number {
  return [...times].sort((one, other) => one - other)[Math.floor(times.length * share)] ?? 0;
}
