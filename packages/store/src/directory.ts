import { prepareKeyList } from './access/keys-repository.ts'
import { preparePrincipalLookup } from './access/principal-lookup.ts'
import { prepareAliasRoutes } from './aliases-repository.ts'
import { prepareProvisionedWishes, prepareReservations } from './concurrency-repository.ts'
import { prepareEventSettings } from './event-invoke-repository.ts'
import { preparePolicyList } from './function-policies-repository.ts'
import { type FunctionRow, SELECT_FUNCTIONS, toFunctionRecord } from './function-rows.ts'
import { prepareUrlLookup } from './function-urls-repository.ts'
import { LATEST } from './functions-repository.ts'
import { prepareLogSettings } from './log-groups/log-groups-repository.ts'
import { openReadOnly } from './open.ts'
import { prepareReleaseWatches } from './releases-repository.ts'
import type { SecretBox } from './secret-box.ts'
import { prepareSecretLookup } from './secrets/secrets-repository.ts'
import { prepareServerSecret } from './server-secrets.ts'
import { prepareApiList } from './triggers/apis-repository.ts'
import { prepareArchiveList } from './triggers/archives-repository.ts'
import { prepareRuleList } from './triggers/event-rules-repository.ts'
import { prepareLoadBalancerList } from './triggers/load-balancers-repository.ts'
import { prepareScheduleList } from './triggers/schedules-repository.ts'
import { prepareUsagePlanList } from './triggers/usage-plans-repository.ts'
import { prepareWebhookList } from './triggers/webhooks-repository.ts'
import type { DirectoryReader, FunctionInfo } from './types.ts'

/**
 * Opens the gateway's view of `hearth.db`: read-only, beside the control plane, which may write, stop or be gone.
 *
 * @throws SchemaError when the file or its schema is not there yet; AddonMismatchError
 */
export function openDirectory(file: string, box: SecretBox): DirectoryReader {
  const db = openReadOnly(file)
  const version = db.prepare<[], number>('PRAGMA data_version').pluck()
  const find = db.prepare<[name: string, version: string], FunctionRow>(
    `${SELECT_FUNCTIONS} WHERE name = ? AND version = ?`
  )
  const last = db.prepare<[], number>(`SELECT seq FROM sqlite_sequence WHERE name = 'changes'`).pluck()
  const first = db.prepare<[], number | null>('SELECT min(seq) FROM changes').pluck()
  const since = db.prepare<[seq: number], { kind: 'function' | 'key'; id: string }>(
    'SELECT DISTINCT kind, id FROM changes WHERE seq > ?'
  )
  // One transaction: the three reads must see the same snapshot.
  const changesSince = db.transaction((seq: number) => {
    const newest = last.get() ?? 0
    const oldest = first.get() ?? newest + 1
    // Behind the trail's beginning, or ahead of its end (the file was put back from a backup): start over.
    const reset = seq + 1 < oldest || seq > newest
    const changes = reset || seq === newest ? [] : since.all(seq)
    return {
      seq: newest,
      functions: changes.filter((change) => change.kind === 'function').map((change) => change.id),
      keys: reset || changes.some((change) => change.kind === 'key'),
      reset
    }
  })
  const revision = db.prepare<[], number>('SELECT revision FROM trigger_revision').pluck()
  const listRules = prepareRuleList(db)
  const listSchedules = prepareScheduleList(db)
  const listArchives = prepareArchiveList(db)
  const listLoadBalancers = prepareLoadBalancerList(db)
  const listWebhooks = prepareWebhookList(db, box)
  const apiRevision = db.prepare<[], number>('SELECT revision FROM api_revision').pluck()
  const readApis = db.transaction(prepareApiList(db))
  const planRevision = db.prepare<[], number>('SELECT revision FROM usage_plan_revision').pluck()
  const readUsagePlans = db.transaction(prepareUsagePlanList(db))
  // One transaction: what is read together must be of one moment.
  const readTriggers = db.transaction(() => ({
    ...listRules(),
    schedules: listSchedules(),
    ...listArchives(),
    webhooks: listWebhooks(),
    loadBalancers: listLoadBalancers()
  }))
  const infos = db.prepare<[limit: number], FunctionInfo>(
    `SELECT name, runtime, memory_mib AS memoryMiB FROM functions WHERE version = '${LATEST}'
     ORDER BY last_modified DESC, name LIMIT ?`
  )
  return {
    dataVersion: () => version.get() ?? 0,
    changesSince: (seq) => changesSince.deferred(seq),
    findFunction(name, version = LATEST) {
      const row = find.get(name, version)
      return row === undefined ? undefined : toFunctionRecord(row, box)
    },
    listFunctionInfos: (limit) => infos.all(limit),
    ...prepareUrlLookup(db),
    listAliases: prepareAliasRoutes(db),
    listPolicies: preparePolicyList(db),
    findEventSettings: prepareEventSettings(db, box),
    listReleases: prepareReleaseWatches(db),
    listReserved: prepareReservations(db),
    listProvisioned: prepareProvisionedWishes(db),
    triggerRevision: () => revision.get() ?? 0,
    readTriggers: () => readTriggers.deferred(),
    apiRevision: () => apiRevision.get() ?? 0,
    readApis: () => readApis.deferred(),
    usagePlanRevision: () => planRevision.get() ?? 0,
    readUsagePlans: () => readUsagePlans.deferred(),
    logSettings: prepareLogSettings(db),
    listKeys: prepareKeyList(db, box),
    findSecret: prepareSecretLookup(db, box),
    findServerSecret: prepareServerSecret(db, box),
    ...preparePrincipalLookup(db),
    close: () => {
      db.close()
    }
  }
}
