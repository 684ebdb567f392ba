import type { Server } from 'node:http'
import type { Executor } from '@hearth/executor'
import { type ArnScope, type Config, createAuthenticator, createAuthorizer, type SessionTokens } from '@hearth/shared'
import { type AuditLog, codeDirOf, type DirectoryReader, toAuditEntry } from '@hearth/store'
import { atMostEvery } from '../at-most-every.ts'
import { createDirectory } from '../directory.ts'
import { type SpecDefaults, toSpec } from '../function-spec.ts'
import { type NotingAuthenticator, noteKeyUses } from '../key-uses.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { createFunctionDoors } from '../platform/function-doors.ts'
import type { FunctionPlatform } from '../platform/function-platform.ts'
import { createRolePasses } from '../platform/role-passes.ts'
import { createSecretVariables } from '../secret-variables.ts'
import type { ServerTimeouts } from './http-server.ts'
import type { DatabaseState } from './starting-state.ts'

export interface OpenDatabaseOptions {
  readonly reader: DirectoryReader
  /** Makes and opens temporary credentials. */
  readonly sessions: SessionTokens
  readonly config: SpecDefaults & Pick<Config, 'dataDir'>
  readonly scope: ArnScope
  readonly server: Server
  readonly timeouts: ServerTimeouts
  readonly executor: Executor
  /** What instances reach. Absent: nothing. */
  readonly platform: FunctionPlatform | undefined
  /** Takes what is refused. */
  readonly audit: AuditLog
  readonly metrics: Metrics
  readonly log: Log
  /** Something was committed, whatever it was; what this throws is tried again. */
  readonly onCommitted: () => void
  /** Chooses between the versions of an alias: 0 to 1. */
  readonly random: (() => number) | undefined
}

/** Functions whose series are made at the start; ten times what a server is made for. */
const MAX_FORESEEN = 100_000

/**
 * Who may do what, and the functions, as the database has them; each follows it by itself. Nothing is read of functions
 * before the directory's first look. The directory owns the reader.
 */
export function openDatabase(options: OpenDatabaseOptions): DatabaseState & { authenticator: NotingAuthenticator } {
  const { reader, sessions, config, scope, executor, metrics } = options
  const access = createAuthorizer({
    source: reader,
    scope,
    now: Date.now,
    // Who may goes on; calls are many, and are counted and logged elsewhere.
    onDecision(principal, wish, facts, decision) {
      if (!decision.allowed) options.audit.write(toAuditEntry(principal, wish, facts, decision, new Date()))
    }
  })
  const authenticator = noteKeyUses(
    createAuthenticator({
      ...scope,
      keys: reader.listKeys(),
      now: () => new Date(),
      sessions,
      isRevoked: (principal) => access.isRevoked(principal)
    })
  )
  const passes = createRolePasses({
    source: reader,
    sessions,
    isRevoked: (principal) => access.isRevoked(principal),
    scope,
    now: Date.now
  })
  options.platform?.open(passes, createFunctionDoors(options.server, options.timeouts))
  const secretPart = createSecretVariables({ reader, access, scope })
  const directory = createDirectory({
    reader,
    executor,
    scope,
    ...(options.random === undefined ? {} : { random: options.random }),
    toSpec: (record) => ({
      ...toSpec(record, config, (artifact) => codeDirOf(config.dataDir, artifact)),
      ...secretPart(record)
    }),
    onKeys: (keys) => {
      authenticator.setKeys(keys)
      access.forget()
      passes.forget()
    },
    onDeployed: (latest) => {
      metrics.functions.ensure(latest.name, latest)
    },
    onRemoved: (name) => {
      metrics.functions.remove(name)
    },
    onCommitted: options.onCommitted,
    onError: atMostEvery(10_000, (err: unknown) => {
      options.log.error({ err }, 'the function directory cannot be read')
    })
  })
  // Before anything is called: an increase needs a zero to begin at.
  const { room } = metrics.functions
  if (room > 0) metrics.functions.foresee(reader.listFunctionInfos(Math.min(room, MAX_FORESEEN)))
  return { directory, authenticator, access }
}
