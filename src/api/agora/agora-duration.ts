const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const short = /^(\d{1,9})([smhdw])$/;
const iso = /^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/;

/** The milliseconds of `7d`, `36h` or `PT30M`; null: it is no duration, or none of any length. */
export function readDuration(text: string): number | null {
  const [, amount, unit = ''] = short.exec(text) ?? [];
  if (amount !== undefined) return Number(amount) * (unitMs[unit] as number) || null;
  const parts = iso.exec(text)?.slice(1) ?? [];
  const ms = ['w', 'd', 'h', 'm', 's'].reduce(
    (sum, of, at) => sum + Number(parts[at] ?? 0) * (unitMs[of] as number),
    0,
  );
  return ms === 0 ? null : ms;
}
