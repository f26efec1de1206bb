/** The time that this share of them does not exceed; 0 if there are none. */
export function percentile(times: readonly number[], share: number): number {
  return [...times].sort((one, other) => one - other)[Math.floor(times.length * share)] ?? 0;
}
