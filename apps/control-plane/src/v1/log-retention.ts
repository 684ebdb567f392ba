import type { FastifyRequest } from 'fastify'
import type { LogGroups } from '../logs/log-groups.ts'
import { onGroup } from '../logs/operation.ts'

/** Days; null: for ever; undefined: as it is. */
export type RetentionWish = number | null | undefined

/**
 * Whether the caller may have a function's log group kept so long. Before anything is changed.
 *
 * @throws HearthError ACCESS_DENIED
 */
export async function askForRetention(
  request: FastifyRequest,
  groups: LogGroups,
  group: string,
  days: RetentionWish
): Promise<void> {
  if (days === undefined) return
  const { resource } = onGroup(group, groups)
  const action = days === null ? 'DeleteRetentionPolicy' : 'PutRetentionPolicy'
  request.requireAccess({ action: `logs:${action}`, resource })
  if ((await groups.find(group)) === undefined) request.requireAccess({ action: 'logs:CreateLogGroup', resource })
}

/** What a function is shown to have is what its group has: functions that share one share that. */
export function retentionOf({ repository }: LogGroups): (group: string) => number | undefined {
  return (group) => repository.findGroup(group)?.retentionDays
}

export async function keepFor(groups: LogGroups, group: string, days: RetentionWish): Promise<void> {
  if (days !== undefined) await groups.keep(group, days ?? undefined)
}
