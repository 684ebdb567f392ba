// What is said of log groups, as the control plane writes it and the gateway reads it.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LogGroup, MetricFilter, SubscriptionFilter } from '@hearth/shared'
import { createLogGroupsRepository, createSecretBox, openDirectory, openStore } from '@hearth/store'
import t from 'tap'

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url))
const GROUP: LogGroup = {
  name: '/app/a',
  createdAt: 1_000,
  retentionDays: undefined,
  class: 'STANDARD',
  isDeletionRefused: false,
  tags: { team: 'x' }
}
const SUBSCRIPTION: SubscriptionFilter = {
  group: GROUP.name,
  name: 'all',
  pattern: '',
  destinationArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
  distribution: 'ByLogStream',
  createdAt: 5
}
const METRIC: MetricFilter = {
  group: GROUP.name,
  name: 'errors',
  pattern: 'ERROR',
  transformations: [{ metricName: 'Errors', metricNamespace: 'App', metricValue: '1' }],
  createdAt: 6
}

t.test('groups, their streams and filters are kept, and go together', async (t) => {
  const file = path.join(t.testdir(), 'hearth.db')
  const db = openStore(file, MIGRATIONS)
  const groups = createLogGroupsRepository(db)
  const reader = openDirectory(file, createSecretBox(Buffer.alloc(32, 7)))
  t.teardown(() => {
    reader.close()
    db.close()
  })
  const { logSettings } = reader
  let seen = logSettings.revision()
  const isNews = (): boolean => seen !== (seen = logSettings.revision())

  groups.putGroup(GROUP)
  t.strictSame(groups.findGroup(GROUP.name), GROUP)
  t.ok(isNews())
  t.strictSame(logSettings.findGroup(GROUP.name), { retentionDays: undefined })
  t.equal(logSettings.findGroup('/app/b'), undefined)
  groups.putGroup({ ...GROUP, retentionDays: 7, createdAt: 9 })
  t.strictSame(groups.findGroup(GROUP.name), { ...GROUP, retentionDays: 7 }, 'its beginning stays')
  t.strictSame([...logSettings.read().retention], [[GROUP.name, 7]])
  t.strictSame(logSettings.findGroup(GROUP.name), { retentionDays: 7 })

  groups.addStream(GROUP.name, { name: 's', createdAt: 2_000 })
  t.ok(logSettings.hasStream(GROUP.name, 's'))
  groups.subscriptions.put(SUBSCRIPTION)
  groups.subscriptions.put({ ...SUBSCRIPTION, pattern: 'ERROR' })
  groups.metricFilters.put(METRIC)
  t.strictSame(groups.subscriptions.list(), [{ ...SUBSCRIPTION, pattern: 'ERROR' }])
  t.strictSame(groups.metricFilters.list(GROUP.name), [METRIC])
  t.strictSame(groups.metricFilters.list('/app/b'), [])

  groups.removeStream(GROUP.name, 's', 3_000)
  t.notOk(logSettings.hasStream(GROUP.name, 's'))
  t.strictSame(logSettings.read().removals, [{ group: GROUP.name, stream: 's', at: 3_000 }])
  t.ok(isNews())
  groups.removeGroup(GROUP.name, 4_000)
  t.strictSame(
    [groups.listGroups(), groups.listStreams(GROUP.name), groups.subscriptions.list(), groups.metricFilters.list()],
    [[], [], [], []]
  )
  t.strictSame(groups.listRemovals(GROUP.name), [{ group: GROUP.name, stream: '', at: 4_000 }])
  groups.removeGroup(GROUP.name, 3_500)
  t.equal(groups.listRemovals(GROUP.name)[0]?.at, 4_000, 'a removal is never taken back')
  groups.removeStream(GROUP.name, 's', 4_500)
  groups.forgetRemovals(GROUP.name, { whole: 3_999, streams: 4_500 })
  t.strictSame(groups.listAllRemovals(), [{ group: GROUP.name, stream: '', at: 4_000 }])
  groups.forgetRemovals(GROUP.name, { whole: 4_000, streams: 0 })
  t.strictSame(logSettings.read().removals, [])
})
