// CloudWatch's texts are written by Java: numbers and times as it writes them.

/** A number as `Double.toString` writes it: `1.0`, `0.05`, `1.0E7`, `5.0E-4`. */
export function javaDouble(value: number): string {
  if (value === 0) return '0.0'
  const size = Math.abs(value)
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value)
    return text.includes('.') ? text : `${text}.0`
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`
}

/** `2026-01-02T03:04:05.006+0000`. @param at - Unix time in ms */
export function javaTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '+0000')
}

/** `02/01/26 03:04:00`, UTC. @param at - Unix time in ms */
export function reasonTime(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T')
  const [year = '', month, day] = date.split('-')
  return `${day}/${month}/${year.slice(-2)} ${time.slice(0, 8)}`
}

/** JSON in which each {@link JavaDouble} is written as Java does. */
export function javaJson(value: unknown): string {
  if (value instanceof JavaDouble) return javaDouble(value.value)
  if (Array.isArray(value)) return `[${value.map(javaJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  const members = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${javaJson(inner)}`).join(',')}}`
}

/** A number that is to be written as a Java double. */
export class JavaDouble {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}
