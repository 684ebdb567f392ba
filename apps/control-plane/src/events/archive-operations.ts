import { archiveArn, busArn, type EventArchive } from '@hearth/shared'
import { z } from 'zod'
import type { JsonTarget } from '../json-protocol/operation.ts'
import type { EventRules } from './event-rules.ts'
import {
  ArchiveName,
  Arn,
  Description,
  type EventsOperation,
  eventsOperation,
  oneFilter,
  Page,
  pageOf
} from './model.ts'

const Settings = {
  Description: Description.optional(),
  EventPattern: z.string().max(4_096).optional(),
  RetentionDays: z.int().min(0).max(2_147_483_647).optional()
}
const OneArchive = z.object({ ArchiveName })
const ArchiveState = z.enum(['ENABLED', 'DISABLED', 'CREATING', 'UPDATING', 'CREATE_FAILED', 'UPDATE_FAILED'])

/** Of the only state that an archive has here. */
const ENABLED = 'ENABLED'

export const ARCHIVE_OPERATIONS: readonly EventsOperation[] = [
  eventsOperation({
    name: 'CreateArchive',
    note: '`KmsKeyIdentifier` is refused',
    input: z.strictObject({ ArchiveName, EventSourceArn: Arn, ...Settings }),
    target: ({ ArchiveName: name, EventSourceArn }, rules) => [onArchive(name, rules), { resource: EventSourceArn }],
    run: (input, rules) =>
      written(rules.archives.create(input.ArchiveName, input.EventSourceArn, settingsOf(input)), rules)
  }),
  eventsOperation({
    name: 'UpdateArchive',
    note: '`KmsKeyIdentifier` is refused',
    input: z.strictObject({ ArchiveName, ...Settings }),
    target: ({ ArchiveName: name }, rules) => onArchive(name, rules),
    run: (input, rules) => written(rules.archives.update(input.ArchiveName, settingsOf(input)), rules)
  }),
  eventsOperation({
    name: 'DescribeArchive',
    input: OneArchive,
    target: ({ ArchiveName: name }, rules) => onArchive(name, rules),
    run({ ArchiveName: name }, rules) {
      const archive = rules.archives.get(name)
      const { pattern, description } = archive
      return {
        ...viewOf(archive, rules),
        ArchiveArn: archiveArn(rules.scope, name),
        ...(pattern === undefined ? {} : { EventPattern: pattern }),
        ...(description === undefined ? {} : { Description: description })
      }
    }
  }),
  eventsOperation({
    name: 'DeleteArchive',
    input: OneArchive,
    target: ({ ArchiveName: name }, rules) => onArchive(name, rules),
    run({ ArchiveName: name }, rules) {
      rules.archives.delete(name)
      return undefined
    }
  }),
  eventsOperation({
    name: 'ListArchives',
    input: z.object({
      NamePrefix: ArchiveName.optional(),
      EventSourceArn: Arn.optional(),
      State: ArchiveState.optional(),
      ...Page
    }),
    target: () => '*',
    run(input, rules) {
      const { NamePrefix, EventSourceArn, State } = input
      oneFilter('ListArchives', [NamePrefix, EventSourceArn, State])
      if (State !== undefined && State !== ENABLED) return { Archives: [] }
      const start = busArn(rules.scope, '')
      const source = EventSourceArn?.startsWith(start) === true ? EventSourceArn.slice(start.length) : EventSourceArn
      const { items, next } = pageOf(
        'ListArchives',
        input,
        (after, limit) => rules.archives.repository.list({ prefix: NamePrefix, source }, after, limit),
        ({ name }) => name
      )
      return { Archives: items.map((archive) => viewOf(archive, rules)), ...next }
    }
  })
]

function onArchive(name: string, { scope }: EventRules): JsonTarget {
  return { resource: archiveArn(scope, name) }
}

/** Terraform and consoles send what is not meant as an empty text. */
function settingsOf(input: z.output<z.ZodObject<typeof Settings>>) {
  return {
    pattern: input.EventPattern === '' ? undefined : input.EventPattern,
    description: input.Description,
    retentionDays: input.RetentionDays
  }
}

function written({ name, createdAt }: EventArchive, { scope }: EventRules) {
  return { ArchiveArn: archiveArn(scope, name), State: ENABLED, CreationTime: createdAt / 1_000 }
}

function viewOf(archive: EventArchive, { scope, archives }: EventRules) {
  const { events, bytes } = archives.contentsOf(archive)
  return {
    ArchiveName: archive.name,
    EventSourceArn: busArn(scope, archive.bus),
    State: ENABLED,
    RetentionDays: archive.retentionDays,
    SizeBytes: bytes,
    EventCount: events,
    CreationTime: archive.createdAt / 1_000
  }
}
