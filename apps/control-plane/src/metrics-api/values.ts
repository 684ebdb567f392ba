import { z } from 'zod'
import { METRIC_UNITS } from './units.ts'

// Members as any of the three protocols brings them: the query protocol has texts only, JSON writes times as seconds,
// CBOR as tagged values.

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** A number; a text that is one. */
export const Num = z.preprocess(
  (value) => (typeof value === 'string' && NUMBER.test(value) ? Number(value) : value),
  z.number()
)
export const Int = z.preprocess(
  (value) => (typeof value === 'string' && NUMBER.test(value) ? Number(value) : value),
  z.int()
)
export const Flag = z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean())

/** Unix time in ms, from a date, seconds, or a text in ISO 8601. */
export const Time = z.preprocess((value) => {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'number') return Math.round(value * 1_000)
  if (typeof value !== 'string') return value
  if (NUMBER.test(value)) return Math.round(Number(value) * 1_000)
  return /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : value
}, z.int().min(-8.64e15).max(8.64e15))

/** A list; the query protocol writes an empty one as an empty text. */
export function listOf<Item extends z.ZodType>(item: Item, max: number, min = 0) {
  return z.preprocess((value) => (value === '' ? [] : value), z.array(item).min(min).max(max))
}

export const Dimension = z.object({ Name: z.string().min(1).max(255), Value: z.string().min(1).max(1_024) })
/** An exact set: names are each there once. */
export const Dimensions = listOf(Dimension, 30)
export const Namespace = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^:].*$/)
export const MetricName = z.string().min(1).max(255)

export const Unit = z.enum(METRIC_UNITS)
