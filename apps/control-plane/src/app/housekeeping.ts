import type { ArtifactStore, IdempotencyKeys } from '@hearth/store'
import { startArtifactCollector } from '../functions/artifact-collector.ts'
import type { SecretService } from '../secrets/secret-service.ts'
import type { PartDeps } from './part.ts'

/** How often Idempotency-Keys that are older than a day are removed, and how many at most. */
const PRUNE_MS = 60_000
const PRUNED_KEYS = 1_000
const COLLECT_INTERVAL_MS = 10 * 60_000
/** Twice the longest invocation: 15 minutes. */
const COLLECT_GRACE_MS = 30 * 60_000

/** Removes from time to time what nobody can ask for any more. @returns stops it */
export function startHousekeeping(
  { storage, log, now }: PartDeps,
  {
    artifacts,
    keys,
    secrets
  }: { readonly artifacts: ArtifactStore; readonly keys: IdempotencyKeys; readonly secrets: SecretService }
): () => void {
  const { functions, layers, apis } = storage.repositories
  const stopCollector = startArtifactCollector(artifacts, [functions, layers, apis], {
    intervalMs: COLLECT_INTERVAL_MS,
    graceMs: COLLECT_GRACE_MS,
    onRemoved: (removed) => {
      log('info', { artifacts: removed.length }, 'unused code removed')
    },
    onError: (err) => {
      log('error', { err }, 'unused code could not be removed')
    }
  })
  const pruning = setInterval(() => {
    try {
      keys.prune(now().getTime(), PRUNED_KEYS)
      secrets.purge()
    } catch (err) {
      log('error', { err }, 'old Idempotency-Keys and secrets could not be removed')
    }
  }, PRUNE_MS)
  pruning.unref()
  return () => {
    stopCollector()
    clearInterval(pruning)
  }
}
