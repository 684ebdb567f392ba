import { HearthError } from '@hearth/shared'
import type { SecretVersionRecord } from '@hearth/store'

export const CURRENT = 'AWSCURRENT'
export const PREVIOUS = 'AWSPREVIOUS'
const MAX_STAGES = 20

export type Stages = ReadonlyMap<string, readonly string[]>

/** Labels by the version that has them. */
export function stagesOf(versions: readonly SecretVersionRecord[]): Stages {
  return new Map(versions.map(({ versionId, stages }) => [versionId, stages]))
}

/**
 * Gives labels to a version, and takes them from those that had them. The version that was the current one is the
 * previous one then.
 *
 * @throws HearthError LIMIT_EXCEEDED
 */
export function withStages(before: Stages, versionId: string, labels: readonly string[]): Stages {
  const after = new Map(before)
  const give = (label: string, to: string): void => {
    for (const [id, stages] of after)
      if (stages.includes(label))
        after.set(
          id,
          stages.filter((name) => name !== label)
        )
    after.set(to, [...(after.get(to) ?? []), label])
  }
  for (const label of labels) {
    const holder = holderOf(after, label)
    if (holder === versionId) continue
    give(label, versionId)
    if (label === CURRENT && holder !== undefined) give(PREVIOUS, holder)
  }
  if ((after.get(versionId)?.length ?? 0) > MAX_STAGES) {
    throw new HearthError('LIMIT_EXCEEDED', `A version can have ${MAX_STAGES} staging labels at most.`)
  }
  return after
}

export function withoutStage(before: Stages, versionId: string, label: string): Stages {
  const after = new Map(before)
  after.set(
    versionId,
    (before.get(versionId) ?? []).filter((name) => name !== label)
  )
  return after
}

export function holderOf(stages: Stages, label: string): string | undefined {
  for (const [versionId, labels] of stages) if (labels.includes(label)) return versionId
  return undefined
}
