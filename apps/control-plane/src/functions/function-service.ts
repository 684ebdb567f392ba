import { randomUUID } from 'node:crypto'
import { type ArnScope, type FunctionRecord, HearthError, LIMITS } from '@hearth/shared'
import { type AliasesRepository, type FunctionsRepository, LATEST } from '@hearth/store'
import type { AssumableRoles } from '../access/assumable-roles.ts'
import type { CheckDestination } from '../destinations/check-destination.ts'
import type { StoredPackage } from '../packages/package-store.ts'
import type { SecretReferences } from '../secrets/secret-references.ts'
import type { CodeSigning } from './code-signing.ts'
import { noticesOf } from './function-notices.ts'
import { functionNotFound, type Precondition, refuseUnsettled } from './function-record.ts'
import { checkSettings, type FunctionSettings, type SettingsChange } from './function-settings.ts'
import type { Runtimes } from './runtimes.ts'
import { publishLatest } from './version-service.ts'

export interface FunctionServiceDeps {
  readonly functions: FunctionsRepository
  readonly aliases: AliasesRepository
  readonly scope: ArnScope
  readonly runtimes: Runtimes
  readonly codeSigning: Pick<CodeSigning, 'checkPackage'>
  readonly roles: AssumableRoles
  /** Of dead letters. */
  readonly checkDestination: CheckDestination
  readonly secretReferences: SecretReferences
  readonly architecture: FunctionRecord['architecture']
  readonly now: () => Date
  /** Runs a step after the answer is out: AWS clients see a deploy as Pending or InProgress first. */
  readonly defer: (step: () => void) => void
}

export interface ChangeOptions {
  /** Under the write lock, so nothing comes between it and the write. */
  readonly precondition?: Precondition
  /** Work out the result and change nothing. */
  readonly dryRun?: boolean
  /** `at-once`: the record is written as ready. `as-aws`: it is Pending or InProgress at first. */
  readonly settle: 'at-once' | 'as-aws'
  /** Written in the same transaction; may throw to refuse. */
  readonly alongside?: () => void
  /** Publish what was deployed in the same transaction. */
  readonly publish?: boolean
}

export interface Deployed {
  /** `$LATEST`. */
  readonly record: FunctionRecord
  readonly created: boolean
  /** The version that is the same, if one was to be published. */
  readonly published: FunctionRecord | undefined
}

/** The use cases behind both API dialects. */
export interface FunctionService {
  find(name: string): FunctionRecord | undefined
  /**
   * @param qualifier - A version's number, `$LATEST`, or an alias, which stands for the version that it points to first.
   * @throws HearthError FUNCTION_NOT_FOUND
   */
  get(name: string, qualifier?: string): FunctionRecord
  /** In order of names. */
  list(after: string, limit: number): readonly FunctionRecord[]
  /** The settings that a new function has when its owner names none. */
  defaults(name: string): FunctionSettings
  /** Checks settings as a deploy would, before its code is taken in. @throws HearthError; @returns notices */
  check(settings: FunctionSettings, change: SettingsChange): readonly string[]
  /**
   * Whether a new role, or what it is to be used for, is right. Asked again when it is written; before that it spares
   * taking in the code.
   *
   * @throws HearthError INVALID_REQUEST
   */
  checkRole(name: string, settings: FunctionSettings, change: SettingsChange): void
  /** @throws HearthError FUNCTION_EXISTS, UPDATE_IN_PROGRESS, REVISION_MISMATCH, INVALID_REQUEST, UNSUPPORTED_RUNTIME, CODE_NOT_SIGNED */
  deploy(
    name: string,
    mode: 'create' | 'replace' | 'create-or-replace',
    code: StoredPackage,
    change: (current: FunctionRecord | undefined) => SettingsChange,
    options: ChangeOptions
  ): Deployed
  /** @throws HearthError FUNCTION_NOT_FOUND, UPDATE_IN_PROGRESS, REVISION_MISMATCH, INVALID_REQUEST, UNSUPPORTED_RUNTIME */
  configure(name: string, change: (current: FunctionRecord) => SettingsChange, options: ChangeOptions): FunctionRecord
  /** @throws HearthError FUNCTION_NOT_FOUND, REVISION_MISMATCH */
  remove(name: string, precondition?: Precondition): void
  /** Finishes what a stopped server left Pending or InProgress. @returns how many */
  settleAll(): number
}

export function createFunctionService(deps: FunctionServiceDeps): FunctionService {
  const { functions, aliases, scope, runtimes, roles, now } = deps

  const notFound = (name: string, qualifier?: string): HearthError => functionNotFound(scope, name, qualifier)

  const check = (settings: FunctionSettings, change: SettingsChange): readonly string[] => {
    // Only when it is named: a function whose runtime went away may still have its memory changed.
    const notice = change.runtime === undefined ? undefined : runtimes.check(change.runtime)
    checkSettings(settings)
    if (change.runtime !== undefined || change.handler !== undefined) {
      runtimes.checkHandler(settings.runtime, settings.handler)
    }
    runtimes.checkInstances(settings.runtime, settings.handler, settings.concurrency, settings.instances)
    return [...(notice === undefined ? [] : [notice]), ...noticesOf(settings, change)]
  }

  /** Who may set a role or a target of dead letters hands on what the role may. */
  const checkRole = (name: string, settings: FunctionSettings, wanted: SettingsChange): void => {
    const { role, deadLetterTarget } = settings
    if (wanted.role !== undefined) roles.require(role)
    if (deadLetterTarget === undefined || (wanted.role ?? wanted.deadLetterTarget) === undefined) return
    deps.checkDestination(deadLetterTarget, { functionName: name, role, purpose: 'DeadLetter' })
  }

  const checkSecrets = (name: string, { environment, role }: FunctionSettings, change: SettingsChange): void => {
    if (change.environment !== undefined || change.role !== undefined) {
      deps.secretReferences.check(name, environment, role)
    }
  }

  const defaults = (name: string): FunctionSettings => ({
    runtime: runtimes.default,
    handler: 'index.handler',
    role: `arn:aws:iam::${scope.accountId}:role/hearth-default`,
    description: '',
    memoryMiB: LIMITS.memoryMiB.default,
    timeoutS: LIMITS.timeoutS.default,
    ephemeralMiB: LIMITS.ephemeralMiB.default,
    environment: undefined,
    network: undefined,
    concurrency: LIMITS.concurrency.default,
    instances: undefined,
    invokeMode: 'BUFFERED',
    tags: {},
    tracing: 'PassThrough',
    logging: { format: 'Text', logGroup: `/aws/lambda/${name}` },
    snapStart: 'None'
  })

  const created = (
    name: string,
    code: StoredPackage,
    settings: FunctionSettings,
    settle: ChangeOptions['settle']
  ): FunctionRecord => {
    const at = now().toISOString()
    return {
      ...settings,
      name,
      version: LATEST,
      reservedConcurrency: undefined,
      architecture: deps.architecture,
      ...codeOf(code),
      revisionId: randomUUID(),
      state: settle === 'as-aws' ? 'Pending' : 'Active',
      lastUpdateStatus: settle === 'as-aws' ? undefined : 'Successful',
      createdAt: at,
      lastModified: at
    }
  }

  const changed = (
    current: FunctionRecord,
    change: Partial<FunctionRecord>,
    settle: ChangeOptions['settle']
  ): FunctionRecord => ({
    ...current,
    ...change,
    revisionId: randomUUID(),
    state: 'Active',
    lastUpdateStatus: settle === 'as-aws' ? 'InProgress' : 'Successful',
    lastModified: now().toISOString()
  })

  const settled = (record: FunctionRecord): FunctionRecord => ({
    ...record,
    revisionId: randomUUID(),
    state: 'Active',
    lastUpdateStatus: 'Successful'
  })

  /** Only the very change that was announced: a function that was replaced meanwhile settles on its own. */
  const settleLater = (record: FunctionRecord): void => {
    if (record.state === 'Active' && record.lastUpdateStatus === 'Successful') return
    deps.defer(() => {
      const settle = (current: FunctionRecord | undefined): FunctionRecord | undefined =>
        current?.revisionId === record.revisionId ? settled(current) : current
      functions.update(record.name, settle, record.version)
    })
  }

  return {
    find: (name) => functions.find(name),

    get(name, qualifier) {
      const isVersion = qualifier === undefined || qualifier === LATEST || /^\d+$/.test(qualifier)
      const version = isVersion ? qualifier : aliases.find(name, qualifier)?.version
      const record = !isVersion && version === undefined ? undefined : functions.find(name, version)
      if (record === undefined) throw notFound(name, qualifier)
      return record
    },

    list: (after, limit) => functions.list(after, limit),
    defaults,
    check,
    checkRole,

    deploy(name, mode, code, change, options) {
      const decide = (current: FunctionRecord | undefined): FunctionRecord => {
        options.precondition?.(current)
        if (current !== undefined && mode === 'create')
          throw new HearthError('FUNCTION_EXISTS', `Function already exist: ${name}`)
        if (current === undefined && mode === 'replace') throw notFound(name)
        if (current !== undefined && options.settle === 'as-aws') refuseUnsettled(current, scope)
        const wanted = change(current)
        const settings = { ...(current ?? defaults(name)), ...wanted }
        check(settings, wanted)
        checkRole(name, settings, current === undefined ? { ...wanted, role: settings.role } : wanted)
        checkSecrets(name, settings, wanted)
        if (options.dryRun !== true) options.alongside?.()
        deps.codeSigning.checkPackage(name)
        return current === undefined
          ? created(name, code, settings, options.settle)
          : changed(current, { ...wanted, ...codeOf(code) }, options.settle)
      }
      if (options.dryRun === true) {
        const current = functions.find(name)
        const record = decide(current)
        return {
          record: current === undefined ? record : { ...record, revisionId: current.revisionId },
          created: current === undefined,
          published: undefined
        }
      }
      const deployed = functions.exclusively((): Deployed => {
        const { before, after } = functions.update(name, decide)
        const record = after as FunctionRecord
        const pending = options.settle === 'as-aws'
        const published =
          options.publish === true
            ? publishLatest(functions, functions.find(name) ?? record, now(), { pending }).record
            : undefined
        return { record, created: before === undefined, published }
      })
      settleLater(deployed.record)
      if (deployed.published !== undefined) settleLater(deployed.published)
      return deployed
    },

    configure(name, change, options) {
      const decide = (current: FunctionRecord | undefined): FunctionRecord => {
        options.precondition?.(current)
        if (current === undefined) throw notFound(name)
        if (options.settle === 'as-aws') refuseUnsettled(current, scope)
        const wanted = change(current)
        const settings = { ...current, ...wanted }
        check(settings, wanted)
        checkRole(name, settings, wanted)
        checkSecrets(name, settings, wanted)
        return changed(current, wanted, options.settle)
      }
      if (options.dryRun === true) return decide(functions.find(name))
      const record = functions.update(name, decide).after as FunctionRecord
      settleLater(record)
      return record
    },

    remove(name, precondition) {
      functions.update(name, (current) => {
        precondition?.(current)
        if (current === undefined) throw notFound(name)
        return undefined
      })
    },

    settleAll() {
      const unsettled = functions.listUnsettled()
      for (const { name, version } of unsettled)
        functions.update(name, (current) => (current === undefined ? undefined : settled(current)), version)
      return unsettled.length
    }
  }
}

function codeOf(code: StoredPackage): Pick<FunctionRecord, 'artifact' | 'codeSha256' | 'codeSize'> {
  return { artifact: code.artifact, codeSha256: code.codeSha256, codeSize: code.codeSize }
}
