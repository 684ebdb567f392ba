const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** How {@link parseSince} wants it, for messages. */
export const SINCE_RULE = 'a time such as 2026-01-02T03:04:05Z, or how long ago: 90s, 10m, 2h, 1d'

/**
 * A time, or how long ago it was: `90s`, `10m`, `2h`, `1d`.
 *
 * @returns ISO 8601, UTC; undefined when it is neither
 */
export function parseSince(text: string, nowMs: number): string | undefined {
  const ago = /^(\d{1,9})([smhd])$/.exec(text)
  const at = ago === null ? Date.parse(text) : nowMs - Number(ago[1]) * UNIT_MS[ago[2]!]!
  // Before the year 0 there is nothing, and dates print differently.
  return Number.isNaN(at) ? undefined : new Date(Math.max(at, 0)).toISOString()
}
