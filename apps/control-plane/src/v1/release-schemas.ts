import { DURATION_BUCKETS } from '@hearth/shared'
import { z } from 'zod'
import { AliasName, VersionNumber } from './version-schemas.ts'

const Step = z.strictObject({
  weight: z.number().gt(0).max(100).meta({ description: 'Percent of calls that go to the new version' }),
  durationS: z.number().int().min(1).max(604_800).meta({ description: 'Seconds at least' })
})

const DEFAULT_STEPS = [
  { weight: 10, durationS: 60 },
  { weight: 50, durationS: 60 }
]

export const ReleaseBody = z.strictObject({
  alias: AliasName,
  version: VersionNumber.regex(/^\d+$/, 'a published version')
    .optional()
    .meta({ description: 'The new version. Default: $LATEST is published' }),
  steps: z
    .array(Step)
    .min(1)
    .max(20)
    .refine((steps) => steps.every(({ weight }, i) => i === 0 || weight > steps[i - 1]!.weight), {
      message: 'each step has more weight than the one before'
    })
    .default(DEFAULT_STEPS)
    .meta({ description: 'After the last one all calls go to the new version' }),
  maxErrorRatio: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .meta({ description: "Share of the new version's calls that may fail" }),
  maxP99Ms: z
    .number()
    .gt(0)
    .max(900_000)
    .optional()
    .meta({ description: 'What the 99th percentile of its duration may be. Default: no bound' }),
  minInvocations: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(50)
    .meta({ description: 'Calls of the new version without which a step does not end' })
})

export const AbortBody = z.strictObject({ reason: z.string().min(1).max(256).optional() })

const Counts = z.object({
  invocations: z.int().min(0),
  errors: z.int().min(0),
  slow: z.int().min(0).meta({ description: 'Longer than maxP99Ms' }),
  p99Ms: z.number().nullable().meta({ description: 'Upper bound, to a quarter' })
})

export const ReleaseView = z
  .object({
    id: z.string(),
    functionName: z.string(),
    alias: z.string(),
    state: z.enum(['running', 'paused', 'completed', 'rolled-back', 'aborted']),
    fromVersion: z.string(),
    toVersion: z.string(),
    step: z.int().min(0).meta({ description: 'Index into steps' }),
    steps: z.array(z.object({ weight: z.number(), durationS: z.number() })),
    maxErrorRatio: z.number(),
    maxP99Ms: z.number().nullable(),
    minInvocations: z.int(),
    stepStartedAt: z.string().meta({ description: 'ISO 8601, UTC; later by the time that it was paused for' }),
    waitsFor: z.string().nullable().meta({ description: 'What the step waits for' }),
    counts: Counts.nullable().meta({ description: 'Calls of the new version in this step, or in the last one' }),
    events: z.array(
      z.object({
        at: z.string(),
        event: z.enum(['started', 'shifted', 'paused', 'resumed', 'completed', 'rolled-back', 'aborted']),
        weight: z.number().meta({ description: 'Percent of calls that the new version gets from then on' }),
        reason: z.string()
      })
    ),
    createdAt: z.string()
  })
  .meta({ description: 'A release' })
export type ReleaseView = z.infer<typeof ReleaseView>

export const ReleaseList = z.object({ items: z.array(ReleaseView) })

/** What the gateway sends. */
export const ReportBody = z.object({
  releases: z
    .array(
      z.object({
        id: z.string(),
        step: z.int().min(0),
        invocations: z.int().min(0),
        errors: z.int().min(0),
        slow: z.int().min(0),
        gateway: z.string().min(1).max(64),
        buckets: z
          .array(
            z.tuple([
              z
                .int()
                .min(0)
                .max(DURATION_BUCKETS - 1),
              z.int().min(0)
            ])
          )
          .max(DURATION_BUCKETS)
      })
    )
    .max(100_000)
})
