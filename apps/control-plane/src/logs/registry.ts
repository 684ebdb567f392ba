import type { JsonServiceDefinition } from '../json-protocol/registry.ts'
import { EVENT_OPERATIONS } from './event-operations.ts'
import { GROUP_OPERATIONS } from './group-operations.ts'
import type { LogGroups } from './log-groups.ts'
import { METRIC_FILTER_OPERATIONS } from './metric-filter-operations.ts'
import { STREAM_OPERATIONS } from './stream-operations.ts'
import { SUBSCRIPTION_OPERATIONS } from './subscription-operations.ts'
import { TAG_OPERATIONS } from './tag-operations.ts'

const NO_INSIGHTS = 'logs are searched with filter patterns, by FilterLogEvents'
const NO_TAIL = 'new events are followed by FilterLogEvents, as `aws logs tail --follow` does'
const NO_EXPORT = 'logs are exported to Loki and OTLP, by the configuration'
const NO_DESTINATIONS = 'subscription filters name their functions'

/** CloudWatch Logs as AWS's clients know it. PutLogEvents is the gateway's, which alone writes logs. */
export const LOGS = {
  name: 'logs',
  target: 'Logs_20140328',
  answersEmpty: true,
  operations: [
    ...GROUP_OPERATIONS,
    ...STREAM_OPERATIONS,
    ...EVENT_OPERATIONS,
    ...SUBSCRIPTION_OPERATIONS,
    ...METRIC_FILTER_OPERATIONS,
    ...TAG_OPERATIONS
  ],
  unserved: {
    StartQuery: NO_INSIGHTS,
    StopQuery: NO_INSIGHTS,
    GetQueryResults: NO_INSIGHTS,
    DescribeQueries: NO_INSIGHTS,
    PutQueryDefinition: NO_INSIGHTS,
    DeleteQueryDefinition: NO_INSIGHTS,
    DescribeQueryDefinitions: NO_INSIGHTS,
    GetLogRecord: NO_INSIGHTS,
    GetLogGroupFields: NO_INSIGHTS,
    StartLiveTail: NO_TAIL,
    CreateExportTask: NO_EXPORT,
    CancelExportTask: NO_EXPORT,
    DescribeExportTasks: NO_EXPORT,
    PutDestination: NO_DESTINATIONS,
    PutDestinationPolicy: NO_DESTINATIONS,
    DeleteDestination: NO_DESTINATIONS,
    DescribeDestinations: NO_DESTINATIONS,
    AssociateKmsKey: 'logs are kept as they are on disk',
    DisassociateKmsKey: 'logs are kept as they are on disk'
  }
} as const satisfies JsonServiceDefinition<LogGroups>
