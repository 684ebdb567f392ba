import { HearthError } from '@hearth/shared'
import { z } from 'zod'
import { tagItems, withoutTags, withTags } from '../access/tags.ts'
import { tagContext } from '../iam/parameters.ts'
import { type MonitoringDeps, type MonitoringOperation, monitoringOperation } from '../metrics-api/operation.ts'
import { listOf } from '../metrics-api/values.ts'
import { alarmArn, alarmNameIn } from './model.ts'
import { AlarmName, Names, StateValue, Tags } from './parameters.ts'

const onEach = ({ AlarmNames: names }: { readonly AlarmNames: readonly string[] }, { scope }: MonitoringDeps) =>
  names.map((name) => ({ resource: alarmArn(scope, name) }))

const setAlarmState = monitoringOperation({
  name: 'SetAlarmState',
  input: z.object({
    AlarmName,
    StateValue: StateValue('stateValue'),
    StateReason: z.string().max(1_023),
    StateReasonData: z.string().max(4_000).optional()
  }),
  target: ({ AlarmName: name }, { scope }) => alarmArn(scope, name),
  run({ AlarmName: name, StateValue: value, StateReason: reason, StateReasonData: data }, { alarms }) {
    alarms.setState(name, { value, reason, reasonData: data === '' ? undefined : data })
    return undefined
  }
})

const deleteAlarms = monitoringOperation({
  name: 'DeleteAlarms',
  note: 'Alarms that are not there are passed over',
  input: z.object({ AlarmNames: Names }),
  target: onEach,
  run({ AlarmNames: names }, { alarms }) {
    alarms.delete(names)
    return undefined
  }
})

const actionsSwitch = (name: 'EnableAlarmActions' | 'DisableAlarmActions') =>
  monitoringOperation({
    name,
    input: z.object({ AlarmNames: Names }),
    target: onEach,
    run({ AlarmNames: names }, { alarms }) {
      alarms.setActionsEnabled(names, name === 'EnableAlarmActions')
      return undefined
    }
  })

const ResourceARN = z.string().min(1).max(1_024)

/** @throws HearthError for an ARN of nothing that is here */
function nameOf(arn: string, { scope, alarms }: MonitoringDeps): string {
  const name = alarmNameIn(scope, arn)
  if (name !== undefined && alarms.find(name) !== undefined) return name
  throw new HearthError('RESOURCE_NOT_FOUND', `Unknown resource: ${arn}`, {
    awsCode: 'ResourceNotFoundException'
  })
}

const tagResource = monitoringOperation({
  name: 'TagResource',
  input: z.object({ ResourceARN, Tags }),
  target: (input) => ({ resource: input.ResourceARN, context: tagContext(input.Tags) }),
  run({ ResourceARN: arn, Tags: added }, deps) {
    deps.alarms.changeTags(nameOf(arn, deps), (tags) => withTags(tags, added))
    return undefined
  }
})

const untagResource = monitoringOperation({
  name: 'UntagResource',
  input: z.object({ ResourceARN, TagKeys: listOf(z.string().min(1).max(128), 50) }),
  target: (input) => ({ resource: input.ResourceARN, context: { 'aws:TagKeys': input.TagKeys } }),
  run({ ResourceARN: arn, TagKeys: keys }, deps) {
    deps.alarms.changeTags(nameOf(arn, deps), (tags) => withoutTags(tags, keys))
    return undefined
  }
})

const listTagsForResource = monitoringOperation({
  name: 'ListTagsForResource',
  input: z.object({ ResourceARN }),
  target: (input) => input.ResourceARN,
  run: ({ ResourceARN: arn }, deps) => ({ Tags: tagItems(deps.alarms.get(nameOf(arn, deps)).tags) })
})

export const CHANGE_OPERATIONS: readonly MonitoringOperation[] = [
  setAlarmState,
  deleteAlarms,
  actionsSwitch('EnableAlarmActions'),
  actionsSwitch('DisableAlarmActions'),
  tagResource,
  untagResource,
  listTagsForResource
]
