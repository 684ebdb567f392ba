// Events and schedules through AWS's clients on a real server, which is then killed while it takes and fires them.
import {
  CancelReplayCommand,
  CreateArchiveCommand,
  CreateEventBusCommand,
  DeleteArchiveCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  DescribeArchiveCommand,
  DescribeEventBusCommand,
  DescribeReplayCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListArchivesCommand,
  ListEventBusesCommand,
  ListReplaysCommand,
  ListRuleNamesByTargetCommand,
  ListRulesCommand,
  ListTagsForResourceCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  StartReplayCommand,
  TagResourceCommand,
  TestEventPatternCommand,
  UntagResourceCommand,
  UpdateArchiveCommand
} from '@aws-sdk/client-eventbridge'
import { AddPermissionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListScheduleGroupsCommand,
  ListSchedulesCommand,
  SchedulerClient,
  ListTagsForResourceCommand as SchedulerListTagsCommand,
  TagResourceCommand as SchedulerTagCommand,
  UntagResourceCommand as SchedulerUntagCommand,
  UpdateScheduleCommand
} from '@aws-sdk/client-scheduler'
import t from 'tap'
import { eventually, startHearth } from '../helpers/hearth.ts'

const FN = 'arn:aws:lambda:us-east-1:000000000000:function'
const EVENTS = 'arn:aws:events:us-east-1:000000000000'
const ROLE = 'arn:aws:iam::000000000000:role/timer'
t.setTimeout(150_000)

t.test('EventBridge and Scheduler on a real server', { timeout: 150_000 }, async (t) => {
  const hearth = await startHearth()
  t.teardown(() => hearth.stop())
  const { accessKeyId, secretAccessKey } = hearth
  const options = {
    endpoint: hearth.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1
  }
  const events = new EventBridgeClient(options)
  const scheduler = new SchedulerClient(options)
  const lambda = new LambdaClient(options)
  t.teardown(() => {
    for (const client of [events, scheduler, lambda]) client.destroy()
  })
  for (const name of ['orders', 'ticks', 'again']) {
    const source = `export const handler = async (event) => { console.log('got ' + JSON.stringify(event)) }`
    t.ok((await hearth.deploy(`${name}.mjs`, source)).ok)
  }
  const logOf = async (name: string) => await (await hearth.request(`/v1/functions/${name}/logs?limit=10000`)).text()
  const refusal = async (sent: Promise<unknown>) =>
    await sent.then(
      () => 'taken',
      (err: unknown) => {
        const { name, message } = err as Error
        return `${name}: ${message}`
      }
    )

  await t.test('EventBridge', async (t) => {
    const { EventBusArn } = await events.send(
      new CreateEventBusCommand({ Name: 'shop', Description: 'Orders', Tags: [{ Key: 'team', Value: 'a' }] })
    )
    t.equal(EventBusArn, `${EVENTS}:event-bus/shop`)
    t.match(await events.send(new DescribeEventBusCommand({ Name: 'shop' })), {
      Name: 'shop',
      Arn: EventBusArn,
      Description: 'Orders'
    })
    t.match(await events.send(new ListEventBusesCommand({})), { EventBuses: [{ Name: 'default' }, { Name: 'shop' }] })
    const EventPattern = '{"detail-type":["OrderPlaced"]}'
    const onShop = { EventBusName: 'shop' }
    const rule = { Name: 'placed', ...onShop }
    const { RuleArn } = await events.send(
      new PutRuleCommand({ ...rule, EventPattern, Tags: [{ Key: 'a', Value: 'b' }] })
    )
    t.equal(RuleArn, `${EVENTS}:rule/shop/placed`)
    const Targets = [
      { Id: 'one', Arn: `${FN}:orders`, InputPath: '$.detail', RetryPolicy: { MaximumRetryAttempts: 3 } }
    ]
    t.match(await events.send(new PutTargetsCommand({ Rule: 'placed', ...onShop, Targets })), { FailedEntryCount: 0 })
    t.match(await events.send(new ListTargetsByRuleCommand({ Rule: 'placed', ...onShop })), { Targets })
    t.match(await events.send(new DescribeRuleCommand(rule)), {
      Name: 'placed',
      Arn: RuleArn,
      EventPattern,
      State: 'ENABLED',
      EventBusName: 'shop',
      CreatedBy: '000000000000'
    })
    t.match(await events.send(new ListRulesCommand({ ...onShop, NamePrefix: 'pl' })), { Rules: [{ Name: 'placed' }] })
    t.match(await events.send(new ListRuleNamesByTargetCommand({ ...onShop, TargetArn: `${FN}:orders` })), {
      RuleNames: ['placed']
    })
    await events.send(new TagResourceCommand({ ResourceARN: RuleArn, Tags: [{ Key: 'c', Value: 'd' }] }))
    await events.send(new UntagResourceCommand({ ResourceARN: RuleArn, TagKeys: ['a'] }))
    t.strictSame((await events.send(new ListTagsForResourceCommand({ ResourceARN: RuleArn }))).Tags, [
      { Key: 'c', Value: 'd' }
    ])
    t.match(await events.send(new TestEventPatternCommand({ EventPattern, Event: '{"detail-type":"OrderPlaced"}' })), {
      Result: true
    })

    await lambda.send(
      new AddPermissionCommand({
        FunctionName: 'orders',
        StatementId: 'bus',
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        SourceArn: RuleArn
      })
    )
    const put = async (n: number) =>
      await events.send(
        new PutEventsCommand({
          Entries: [
            { ...onShop, Source: 'shop', DetailType: 'OrderPlaced', Detail: JSON.stringify({ n }), Time: new Date() }
          ]
        })
      )
    const shop = { ArchiveName: 'shop', EventSourceArn: EventBusArn }
    const { ArchiveArn, ...created } = await events.send(
      new CreateArchiveCommand({ ...shop, Description: 'Orders', EventPattern, RetentionDays: 7 })
    )
    t.match(created, { State: 'ENABLED', CreationTime: Date })
    t.equal(ArchiveArn, `${EVENTS}:archive/shop`)
    const from = new Date()
    t.match(await put(1), { FailedEntryCount: 0, Entries: [{ EventId: /-/ }] })
    await eventually(async () => (await logOf('orders')).includes('got {\\"n\\":1}'))
    await events.send(new DisableRuleCommand(rule))
    await put(2)
    await events.send(new EnableRuleCommand(rule))
    await put(3)
    await eventually(async () => (await logOf('orders')).includes('got {\\"n\\":3}'))
    t.notMatch(await logOf('orders'), 'got {\\"n\\":2}')

    await events.send(new UpdateArchiveCommand({ ArchiveName: 'shop', RetentionDays: 0 }))
    await eventually(
      async () => (await events.send(new DescribeArchiveCommand({ ArchiveName: 'shop' }))).EventCount === 3
    )
    const described = await events.send(new DescribeArchiveCommand({ ArchiveName: 'shop' }))
    t.match(described, { ...shop, ArchiveArn, Description: 'Orders', EventPattern, RetentionDays: 0, State: 'ENABLED' })
    t.ok(described.SizeBytes! > 300)
    t.match(await events.send(new ListArchivesCommand({ EventSourceArn: EventBusArn })), {
      Archives: [{ ...shop, EventCount: 3 }]
    })
    const replay = {
      ReplayName: 'r',
      EventSourceArn: ArchiveArn,
      EventStartTime: new Date(from.getTime() - 1_000),
      EventEndTime: new Date(),
      Destination: { Arn: EventBusArn, FilterArns: [RuleArn!] }
    }
    const ReplayArn = `${EVENTS}:replay/r`
    t.match(await events.send(new StartReplayCommand(replay)), { ReplayArn, State: 'STARTING', ReplayStartTime: Date })
    const stateOf = async () => (await events.send(new DescribeReplayCommand({ ReplayName: 'r' }))).State
    await eventually(async () => (await stateOf()) === 'COMPLETED')
    t.match(await events.send(new DescribeReplayCommand({ ReplayName: 'r' })), {
      ...replay,
      EventStartTime: Date,
      EventEndTime: Date,
      EventLastReplayedTime: Date,
      ReplayEndTime: Date
    })
    t.match(await events.send(new ListReplaysCommand({ State: 'COMPLETED' })), { Replays: [{ ReplayName: 'r' }] })
    await eventually(async () => (await logOf('orders')).includes('got {\\"n\\":2}'))

    const bad: readonly (readonly [Promise<unknown>, string])[] = [
      [
        events.send(new CreateEventBusCommand({ Name: 'shop' })),
        'ResourceAlreadyExistsException: Event bus shop already exists.'
      ],
      [events.send(new CreateEventBusCommand({ Name: 'a/b' })), 'ValidationException'],
      [
        events.send(new PutRuleCommand({ Name: 'x', EventPattern: '{"a":5}' })),
        'InvalidEventPatternException: Event pattern is not valid. Reason: "a" must be an object or an array\n at [Source: (String)"{"a":5}"; line: 1, column: 7]'
      ],
      [events.send(new PutRuleCommand({ Name: 'x' })), 'ValidationException'],
      [
        events.send(new PutRuleCommand({ Name: 'x y', EventPattern })),
        "ValidationException: 1 validation error detected: Value at 'name'"
      ],
      [
        events.send(new PutRuleCommand({ Name: 'x', ScheduleExpression: 'rate(1 minutes)' })),
        'ValidationException: Parameter ScheduleExpression is not valid.'
      ],
      [
        events.send(new PutRuleCommand({ Name: 'x', EventPattern, EventBusName: 'nowhere' })),
        'ResourceNotFoundException: Event bus nowhere does not exist.'
      ],
      [
        events.send(new PutRuleCommand({ Name: 'x', ...onShop, ScheduleExpression: 'rate(1 hour)' })),
        'ValidationException: ScheduleExpression is supported only on the default event bus.'
      ],
      [
        events.send(new PutTargetsCommand({ Rule: 'absent', Targets })),
        'ResourceNotFoundException: Rule absent does not exist on EventBus default.'
      ],
      [
        events.send(
          new PutTargetsCommand({
            Rule: 'placed',
            ...onShop,
            Targets: [{ Id: 'q', Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }]
          })
        ),
        'ValidationException: Targets with the id q cannot be'
      ],
      [
        events.send(
          new PutTargetsCommand({ Rule: 'placed', ...onShop, Targets: [{ Id: 'q', Arn: `${FN}:orders`, Input: '{' }] })
        ),
        'ValidationException: Invalid Input for target q'
      ],
      [
        events.send(
          new PutTargetsCommand({
            Rule: 'placed',
            ...onShop,
            Targets: [
              { Id: 'q', Arn: `${FN}:orders`, DeadLetterConfig: { Arn: 'arn:aws:sqs:us-east-1:000000000000:q' } }
            ]
          })
        ),
        'InvalidParameterValueException'
      ],
      [
        events.send(
          new PutTargetsCommand({
            Rule: 'placed',
            ...onShop,
            Targets: [{ Id: 'q', Arn: `${FN}:orders`, SqsParameters: { MessageGroupId: 'x' } }]
          })
        ),
        'ValidationException: SqsParameters of target q'
      ],
      [events.send(new DeleteRuleCommand(rule)), "ValidationException: Rule can't be deleted since it has targets."],
      [
        events.send(new DeleteEventBusCommand({ Name: 'shop' })),
        "ValidationException: Event bus can't be deleted since it has rules."
      ],
      [events.send(new CreateArchiveCommand(shop)), 'ResourceAlreadyExistsException: Archive shop already exists.'],
      [
        events.send(new CreateArchiveCommand({ ...shop, ArchiveName: 'x', EventPattern: '{"a":5}' })),
        'InvalidEventPatternException: Event pattern is not valid.'
      ],
      [
        events.send(new CreateArchiveCommand({ ArchiveName: 'x', EventSourceArn: `${EVENTS}:event-bus/nowhere` })),
        'ResourceNotFoundException: Event bus nowhere does not exist.'
      ],
      [
        events.send(new DescribeArchiveCommand({ ArchiveName: 'absent' })),
        'ResourceNotFoundException: Archive absent does not exist.'
      ],
      [
        events.send(new ListArchivesCommand({ NamePrefix: 's', State: 'ENABLED' })),
        'ValidationException: At most one filter is allowed for ListArchives.'
      ],
      [events.send(new StartReplayCommand(replay)), 'ResourceAlreadyExistsException: Replay r already exists.'],
      [
        events.send(new StartReplayCommand({ ...replay, EventEndTime: replay.EventStartTime })),
        'ValidationException: Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.'
      ],
      [
        events.send(new StartReplayCommand({ ...replay, Destination: { Arn: `${EVENTS}:event-bus/default` } })),
        'ValidationException: Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.'
      ],
      [
        events.send(
          new StartReplayCommand({
            ...replay,
            Destination: { Arn: EventBusArn, FilterArns: [`${EVENTS}:rule/shop/absent`] }
          })
        ),
        'ResourceNotFoundException: Rule absent does not exist on EventBus shop.'
      ],
      [
        events.send(new CancelReplayCommand({ ReplayName: 'r' })),
        'IllegalStatusException: Replay r is not in a valid state for this operation.'
      ],
      [
        events.send(new CancelReplayCommand({ ReplayName: 'absent' })),
        'ResourceNotFoundException: Replay absent does not exist.'
      ],
      [
        events.send(new TestEventPatternCommand({ EventPattern, Event: '[]' })),
        'ValidationException: Parameter Event is not valid.'
      ]
    ]
    // Sent at once, and heard one by one.
    for (const [sent] of bad) sent.catch(() => undefined)
    for (const [sent, said] of bad) {
      const told = await refusal(sent)
      t.ok(told.startsWith(said), `${said} <> ${told}`)
    }
    t.match((await events.send(new ListRulesCommand({}))).Rules, [], 'nothing is left of what was refused')
    t.match(await events.send(new RemoveTargetsCommand({ Rule: 'placed', ...onShop, Ids: ['one', 'two'] })), {
      FailedEntryCount: 1,
      FailedEntries: [{ TargetId: 'two' }]
    })
    await events.send(new DeleteRuleCommand(rule))
    t.match(await refusal(events.send(new DeleteEventBusCommand({ Name: 'shop' }))), /since it has archives/)
    await events.send(new DeleteArchiveCommand({ ArchiveName: 'shop' }))
    await events.send(new DeleteEventBusCommand({ Name: 'shop' }))
    t.match(await refusal(events.send(new DescribeRuleCommand({ Name: 'placed' }))), /^ResourceNotFoundException/)
  })

  const timed = (name: string, changes: object = {}) => ({
    Name: name,
    ScheduleExpression: 'rate(5 minutes)',
    FlexibleTimeWindow: { Mode: 'OFF' as const },
    Target: { Arn: `${FN}:ticks`, RoleArn: ROLE, Input: JSON.stringify({ name }) },
    ...changes
  })

  await t.test('Scheduler', async (t) => {
    const trust = (Service: string) => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }]
    })
    const role = {
      trust: trust('scheduler.amazonaws.com'),
      policies: {
        invoke: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: `${FN}:ticks` }]
        }
      }
    }
    t.ok((await hearth.request('/v1/roles/timer', { method: 'PUT', body: JSON.stringify(role) })).ok)
    t.match(
      await refusal(
        scheduler.send(
          new CreateScheduleCommand(
            timed('x', { Target: { Arn: `${FN}:ticks`, RoleArn: 'arn:aws:iam::000000000000:role/hearth-default' } })
          )
        )
      ),
      /^ValidationException: The execution role you provide must allow/
    )
    const groupArn = 'arn:aws:scheduler:us-east-1:000000000000:schedule-group/night'
    t.match(await scheduler.send(new CreateScheduleGroupCommand({ Name: 'night', Tags: [{ Key: 'a', Value: 'b' }] })), {
      ScheduleGroupArn: groupArn
    })
    t.match(await scheduler.send(new GetScheduleGroupCommand({ Name: 'night' })), {
      Name: 'night',
      Arn: groupArn,
      State: 'ACTIVE'
    })
    t.match(await scheduler.send(new ListScheduleGroupsCommand({})), {
      ScheduleGroups: [{ Name: 'default' }, { Name: 'night' }]
    })
    await scheduler.send(new SchedulerTagCommand({ ResourceArn: groupArn, Tags: [{ Key: 'c', Value: 'd' }] }))
    await scheduler.send(new SchedulerUntagCommand({ ResourceArn: groupArn, TagKeys: ['a'] }))
    t.strictSame((await scheduler.send(new SchedulerListTagsCommand({ ResourceArn: groupArn }))).Tags, [
      { Key: 'c', Value: 'd' }
    ])

    const settings = timed('nightly', {
      GroupName: 'night',
      ScheduleExpression: 'cron(0 3 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      StartDate: new Date('2027-01-01T00:00:00Z'),
      Description: 'at night'
    })
    const { ScheduleArn } = await scheduler.send(new CreateScheduleCommand(settings))
    t.equal(ScheduleArn, 'arn:aws:scheduler:us-east-1:000000000000:schedule/night/nightly')
    const one = { Name: 'nightly', GroupName: 'night' }
    t.match(await scheduler.send(new GetScheduleCommand(one)), {
      ...settings,
      Arn: ScheduleArn,
      State: 'ENABLED',
      ActionAfterCompletion: 'NONE'
    })
    await scheduler.send(new UpdateScheduleCommand({ ...settings, State: 'DISABLED' }))
    t.match(await scheduler.send(new GetScheduleCommand(one)), { State: 'DISABLED' })
    t.match(await scheduler.send(new ListSchedulesCommand({ GroupName: 'night', State: 'DISABLED' })), {
      Schedules: [{ Name: 'nightly', Target: { Arn: `${FN}:ticks` } }]
    })

    const bad: readonly (readonly [Promise<unknown>, string])[] = [
      [scheduler.send(new CreateScheduleCommand(settings)), 'ConflictException: Schedule nightly already exists.'],
      [
        scheduler.send(new CreateScheduleCommand(timed('x', { ScheduleExpression: 'cron(0 0 * * * *)' }))),
        'ValidationException: Invalid Schedule Expression cron(0 0 * * * *).'
      ],
      [
        scheduler.send(new CreateScheduleCommand(timed('x', { ScheduleExpressionTimezone: 'Mars/Olympus' }))),
        'ValidationException: There is no time zone Mars/Olympus'
      ],
      [
        scheduler.send(new CreateScheduleCommand(timed('x', { GroupName: 'nowhere' }))),
        'ResourceNotFoundException: Schedule group nowhere does not exist.'
      ],
      [
        scheduler.send(new CreateScheduleCommand(timed('x', { FlexibleTimeWindow: { Mode: 'FLEXIBLE' } }))),
        'ValidationException'
      ],
      [
        scheduler.send(new CreateScheduleCommand(timed('x', { StartDate: new Date(2e12), EndDate: new Date(1.9e12) }))),
        'ValidationException: The EndDate'
      ],
      [
        scheduler.send(
          new CreateScheduleCommand(
            timed('x', { Target: { Arn: 'arn:aws:sqs:us-east-1:000000000000:q', RoleArn: ROLE } })
          )
        ),
        'ValidationException: Target.Arn cannot be'
      ],
      [
        scheduler.send(new GetScheduleCommand({ Name: 'absent' })),
        'ResourceNotFoundException: Schedule absent does not exist.'
      ],
      [
        scheduler.send(new DeleteScheduleGroupCommand({ Name: 'default' })),
        'ValidationException: Cannot delete the default schedule group.'
      ]
    ]
    // Sent at once, and heard one by one.
    for (const [sent] of bad) sent.catch(() => undefined)
    for (const [sent, said] of bad) {
      const told = await refusal(sent)
      t.ok(told.startsWith(said), `${said} <> ${told}`)
    }
    await scheduler.send(new DeleteScheduleGroupCommand({ Name: 'night' }))
    t.match(await refusal(scheduler.send(new DeleteScheduleCommand(one))), /^ResourceNotFoundException/)
    t.strictSame((await scheduler.send(new ListSchedulesCommand({}))).Schedules, [])
  })

  await t.test('whatever kills the gateway: no accepted event is lost, no schedule fires twice', async (t) => {
    const SCHEDULES = 40
    await events.send(new PutRuleCommand({ Name: 'all', EventPattern: '{"source":["shop"]}' }))
    await events.send(new PutTargetsCommand({ Rule: 'all', Targets: [{ Id: 'one', Arn: `${FN}:orders` }] }))
    const EventPattern = '{"replay-name":[{"exists":true}]}'
    await events.send(new PutRuleCommand({ Name: 'again', EventPattern }))
    await events.send(new PutTargetsCommand({ Rule: 'again', Targets: [{ Id: 'one', Arn: `${FN}:again` }] }))
    const bus = `${EVENTS}:event-bus/default`
    await events.send(new CreateArchiveCommand({ ArchiveName: 'all', EventSourceArn: bus }))
    for (const [FunctionName, name] of [
      ['orders', 'all'],
      ['again', 'again']
    ] as const) {
      await lambda.send(
        new AddPermissionCommand({
          FunctionName,
          StatementId: 'all',
          Action: 'lambda:InvokeFunction',
          Principal: 'events.amazonaws.com',
          SourceArn: `${EVENTS}:rule/${name}`
        })
      )
    }
    const list = async (name: string, status: string) => {
      const all: string[] = []
      for (let cursor = ''; ; ) {
        const answer = await hearth.request(`/v1/functions/${name}/invocations?limit=100&status=${status}${cursor}`)
        const page = (await answer.json()) as { invocations: { requestId: string }[]; nextCursor: string | null }
        all.push(...page.invocations.map(({ requestId }) => requestId))
        if (page.nextCursor === null) return all
        cursor = `&cursor=${page.nextCursor}`
      }
    }
    const before = new Set(await list('orders', 'succeeded'))
    const from = Date.now() + 4_000
    for (let i = 0; i < SCHEDULES; i++) {
      const at = new Date(from + (i * 6_000) / SCHEDULES).toISOString().slice(0, 19)
      await scheduler.send(
        new CreateScheduleCommand(
          timed(`once-${i}`, { ScheduleExpression: `at(${at})`, ActionAfterCompletion: 'DELETE' })
        )
      )
    }
    const accepted: string[] = []
    /** Tries whose answer was cut off: nobody knows whether they were accepted. */
    let unanswered = 0
    let isOver = false
    t.teardown(() => {
      isOver = true
    })
    /** Events that were accepted before the replay began. */
    let replayed = 0
    const client = async (): Promise<void> => {
      while (!isOver) {
        const Entries = [{ Source: 'shop', DetailType: 'x', Detail: '{}' }]
        const answer = await events.send(new PutEventsCommand({ Entries })).catch(() => undefined)
        const id = answer?.Entries?.[0]?.EventId
        if (id === undefined) unanswered++
        else accepted.push(id)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const clients = Array.from({ length: 4 }, client)
    for (const after of [5_000, 8_000]) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, from - 4_000 + after - Date.now())))
      if (after === 8_000) {
        replayed = accepted.length
        await events.send(
          new StartReplayCommand({
            ReplayName: 'all',
            EventSourceArn: `${EVENTS}:archive/all`,
            EventStartTime: new Date(from - 60_000),
            EventEndTime: new Date(),
            Destination: { Arn: bus, FilterArns: [`${EVENTS}:rule/again`] }
          })
        )
        // It is in the middle of it, or about to begin.
        await eventually(async () => (await list('again', 'succeeded')).length > 0)
      }
      await hearth.crash('gateway')
    }
    const left = async () =>
      (await scheduler.send(new ListSchedulesCommand({})).catch(() => undefined))?.Schedules?.length
    await eventually(async () => (await left()) === 0, 60_000)
    isOver = true
    await Promise.all(clients)
    t.ok(accepted.length > 50, `${accepted.length} events were accepted`)
    const archived = async () => (await events.send(new DescribeArchiveCommand({ ArchiveName: 'all' }))).EventCount!
    const replay = async () =>
      await events.send(new DescribeReplayCommand({ ReplayName: 'all' })).catch(() => ({ State: '' }))
    await eventually(async () => (await replay()).State === 'COMPLETED', 60_000)
    for (const name of ['orders', 'ticks', 'again']) {
      await eventually(
        async () => (await list(name, 'queued')).length + (await list(name, 'running')).length === 0,
        60_000
      )
      t.same(await list(name, 'failed'), [])
    }
    t.equal((await list('ticks', 'succeeded')).length, SCHEDULES, 'each schedule made one event')
    const ran = (await list('orders', 'succeeded')).filter((id) => !before.has(id)).length
    t.ok(ran >= accepted.length, `${ran} events ran, ${accepted.length} were accepted`)
    t.ok(ran <= accepted.length + unanswered, `and at most ${unanswered} more`)
    await eventually(async () => (await archived()) >= accepted.length)
    t.ok((await archived()) <= accepted.length + unanswered, 'each is in the archive once')
    const again = (await list('again', 'succeeded')).length
    t.ok(again >= replayed, `${again} events were replayed, ${replayed} were accepted before`)
    t.ok(again <= (await archived()), 'and none twice')
    // What was printed just before a kill may be lost; the rest tells that these are the events that were sent.
    const log = await logOf('orders')
    const unseen = accepted.filter((id) => !log.includes(id))
    t.ok(unseen.length <= 20, `${unseen.length} events are not in the log`)
  })
})
