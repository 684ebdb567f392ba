import { type ArnScope, busArn, DEFAULT_BUS, HearthError, renderTargetInput, uuidOf } from '@hearth/shared'
import { isTraceHeader } from '../../tracing/trace-header.ts'
import type { Traces } from '../../tracing/traces.ts'
import type { FireEvent, Firing } from '../firing.ts'
import { type BusEvent, newBusEvent } from './new-event.ts'
import type { ArmedRule, RuleTable } from './rule-table.ts'

/** One entry of a request, of which nothing is known yet. */
export interface PutEntry {
  readonly Source?: unknown
  readonly DetailType?: unknown
  readonly Detail?: unknown
  readonly EventBusName?: unknown
  readonly Time?: unknown
  readonly Resources?: unknown
  readonly TraceHeader?: unknown
}

export type EntryResult = { readonly EventId: string } | { readonly ErrorCode: string; readonly ErrorMessage: string }

export interface PutEventsOptions {
  readonly scope: ArnScope
  readonly table: RuleTable
  readonly fire: FireEvent
  /** In the archives that want it; undefined: none does. */
  readonly keep: (bus: string, event: BusEvent, eventAt: number) => Promise<void> | undefined
  readonly now: () => number
  readonly traces: Traces
  readonly onError: (err: unknown) => void
}

/** What the caller must be allowed. */
export interface PutWish {
  readonly resource: string
  readonly source: string
  readonly detailType: string
}

const MAX_ENTRIES = 10
const MAX_BYTES = 262_144
const SERVICE = 'events.amazonaws.com'
/** Of a detail: functions' runtimes read it recursively. */
export const MAX_DETAIL_DEPTH = 100

/** @throws HearthError VALIDATION_FAILED: the request as a whole cannot be. @see reference: Lambda events §6 */
export function readEntries(body: Buffer): readonly PutEntry[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString())
  } catch (cause) {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not JSON.', { cause, awsCode: 'SerializationException' })
  }
  const { Entries: entries } = (parsed ?? {}) as { readonly Entries?: unknown }
  if (!Array.isArray(entries))
    throw invalid(`Value null at 'entries' failed to satisfy constraint: Member must not be null`)
  if (entries.length === 0 || entries.length > MAX_ENTRIES) {
    const bound = entries.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${MAX_ENTRIES}`
    throw invalid(`Value at 'entries' failed to satisfy constraint: Member must have length ${bound}`)
  }
  if (entries.some((entry) => entry === null || typeof entry !== 'object' || Array.isArray(entry))) {
    throw new HearthError('INVALID_PAYLOAD', 'Each entry must be an object.', { awsCode: 'SerializationException' })
  }
  const list = entries as readonly PutEntry[]
  if (list.reduce((sum, entry) => sum + sizeOf(entry), 0) > MAX_BYTES) {
    throw new HearthError('VALIDATION_FAILED', 'Total size of the entries in the request is over the limit.')
  }
  return list
}

/** What is to be allowed before anything is done; an entry that will be refused needs nothing. */
export function wishesOf(scope: ArnScope, entries: readonly PutEntry[]): readonly PutWish[] {
  return entries.map(({ EventBusName, Source, DetailType }) => ({
    resource: busArn(scope, busNameIn(EventBusName)),
    source: typeof Source === 'string' ? Source : '',
    detailType: typeof DetailType === 'string' ? DetailType : ''
  }))
}

/** Puts events on their buses; each entry has a result of its own, given when what follows from it is on disk. */
export function putEvents(
  options: PutEventsOptions,
  entries: readonly PutEntry[],
  trace: string | undefined
): Promise<readonly EntryResult[]> {
  return Promise.all(entries.map((entry) => putEvent(options, entry, trace)))
}

async function putEvent(options: PutEventsOptions, entry: PutEntry, trace: string | undefined): Promise<EntryResult> {
  const { scope, table, now } = options
  const fault = faultOf(entry)
  if (fault !== undefined) return fault
  const {
    Source,
    DetailType,
    Detail,
    Time,
    Resources = [],
    TraceHeader
  } = entry as Record<string, string> & {
    readonly Time?: unknown
    readonly Resources?: readonly string[]
  }
  const bus = busNameIn(entry.EventBusName)
  const rules = table.busOf(bus)
  if (rules === undefined) return refused('InvalidArgument', `Event bus ${bus} does not exist.`)
  const at = now()
  const time = typeof Time === 'number' ? Time * 1_000 : typeof Time === 'string' ? Date.parse(Time) : at
  let event: BusEvent
  try {
    event = newBusEvent(scope, {
      source: Source!,
      detailType: DetailType!,
      time,
      resources: Resources,
      detail: Detail!
    })
  } catch {
    return refused('MalformedDetail', 'Detail is malformed.')
  }
  const { detail } = event.value as { readonly detail: unknown }
  if (detail === null || typeof detail !== 'object' || Array.isArray(detail) || depthOf(Detail!) > MAX_DETAIL_DEPTH) {
    return refused('MalformedDetail', 'Detail is malformed.')
  }
  try {
    const sent = TraceHeader !== undefined && isTraceHeader(TraceHeader) ? withLineage(TraceHeader, trace) : trace
    const kept = options.keep(bus, event, Math.round(time))
    const fired = rules
      .find(event.value)
      .flatMap((rule) => firingsOf(rule, event, at, options.traces.ofEvent(event.id, sent, 'pubsub')))
      .map((firing) => options.fire(firing))
    await Promise.all(kept === undefined ? fired : [...fired, kept])
    return { EventId: event.id }
  } catch (err) {
    options.onError(err)
    return refused('InternalFailure', 'The event was not accepted: it cannot be written now. Send it again later.')
  }
}

/** An entry's own trace header says nothing of the calls that led here; the request's does. */
function withLineage(own: string, trace: string | undefined): string {
  return own.includes(';Lineage=') ? own : own + (/;Lineage=[^;]*/.exec(trace ?? '')?.[0] ?? '')
}

/** One for each target of a rule. */
export function firingsOf(rule: ArmedRule, event: BusEvent, at: number, traceId: string): readonly Firing[] {
  const fired = { text: event.text, ruleArn: rule.arn, ruleName: rule.name, ingestionTime: new Date(at).toISOString() }
  return rule.targets.map((target) => ({
    service: SERVICE,
    sourceArn: rule.arn,
    // A role of a target is for services that have no policies; functions have.
    roleArn: undefined,
    target: target.arn,
    deadLetterArn: target.deadLetterArn,
    requestId: uuidOf(`${event.id}/${rule.id}/${target.id}`),
    payload: Buffer.from(renderTargetInput(target, fired)),
    traceId,
    dueAt: at,
    fired: undefined
  }))
}

function faultOf(entry: PutEntry): EntryResult | undefined {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    const value = entry[name]
    if (value === undefined || value === null || value === '') {
      return refused('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`)
    }
    if (typeof value !== 'string') return refused('InvalidArgument', `Parameter ${name} is not valid.`)
  }
  const { Source, Time, Resources, TraceHeader, EventBusName } = entry
  if ((Source as string).startsWith('aws.')) return refused('NotAuthorizedForSource', 'Not authorized for the source.')
  const isTime =
    typeof Time === 'number' ? Math.abs(Time) < 8.64e12 : typeof Time === 'string' && !Number.isNaN(Date.parse(Time))
  if (Time !== undefined && !isTime) return refused('InvalidArgument', 'Parameter Time is not valid.')
  if (Resources !== undefined && !(Array.isArray(Resources) && Resources.every((one) => typeof one === 'string'))) {
    return refused('InvalidArgument', 'Parameter Resources is not valid.')
  }
  for (const [name, value] of Object.entries({ TraceHeader, EventBusName })) {
    if (value !== undefined && (typeof value !== 'string' || value.length > 1_600)) {
      return refused('InvalidArgument', `Parameter ${name} is not valid.`)
    }
  }
  return undefined
}

/** A name, or an ARN with one. */
function busNameIn(value: unknown): string {
  if (typeof value !== 'string' || value === '') return DEFAULT_BUS
  return value.startsWith('arn:') ? value.slice(value.indexOf('/') + 1) : value
}

/** As EventBridge counts: a time is 14 bytes, everything else what its UTF-8 has. */
function sizeOf({ Time, Source, DetailType, Detail, Resources }: PutEntry): number {
  const texts = [Source, DetailType, Detail, ...(Array.isArray(Resources) ? (Resources as unknown[]) : [])]
  return texts.reduce<number>(
    (sum, text) => sum + (typeof text === 'string' ? Buffer.byteLength(text) : 0),
    Time === undefined ? 0 : 14
  )
}

/** How deep brackets are in each other. */
export function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  for (const bracket of json.replace(/"(?:[^"\\]+|\\.)*"/g, '').match(/[[\]{}]/g) ?? []) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    if (depth > deepest) deepest = depth
  }
  return deepest
}

function refused(ErrorCode: string, ErrorMessage: string): EntryResult {
  return { ErrorCode, ErrorMessage }
}

function invalid(what: string): HearthError {
  return new HearthError('VALIDATION_FAILED', `1 validation error detected: ${what}`)
}
