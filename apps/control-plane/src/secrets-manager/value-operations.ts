import { HearthError, toJsonError } from '@hearth/shared'
import type { SecretValue } from '@hearth/store'
import { z } from 'zod'
import { tagContext } from '../iam/parameters.ts'
import type { OpenedSecret, SecretService } from '../secrets/secret-service.ts'
import { CURRENT } from '../secrets/secret-stages.ts'
import { matchesFilters } from './filters.ts'
import {
  Description,
  KmsKeyId,
  SecretBinary,
  SecretId,
  type SecretOperation,
  SecretString,
  Stage,
  seconds,
  secretOperation,
  secretTarget,
  Tags,
  Token
} from './operation.ts'
import { Filters, PageInput, pageOf } from './pages.ts'

const Value = { SecretString: SecretString.optional(), SecretBinary: SecretBinary.optional() }
interface ValueInput {
  readonly SecretString?: string | undefined
  readonly SecretBinary?: string | undefined
}

/** What writes, reads and moves values. */
export const valueOperations: readonly SecretOperation[] = [
  secretOperation({
    name: 'CreateSecret',
    note: "encrypted under the server's master key: `KmsKeyId` can only be AWS's own; no replicas",
    input: z.object({
      Name: z.string().min(1).max(512),
      ClientRequestToken: Token.optional(),
      Description: Description.optional(),
      KmsKeyId,
      ...Value,
      Tags: Tags.default([]),
      AddReplicaRegions: z.array(z.unknown()).optional()
    }),
    target(input, service) {
      const { arn } = service.find(input.Name)
      const context = { 'secretsmanager:Name': input.Name, ...tagContext(input.Tags) }
      return [
        { resource: arn, context },
        ...(input.Tags.length === 0 ? [] : [{ action: 'secretsmanager:TagResource', resource: arn, context }])
      ]
    },
    run(input, service) {
      if (input.AddReplicaRegions !== undefined && input.AddReplicaRegions.length > 0) {
        throw new HearthError('INVALID_SECRET', 'AddReplicaRegions is not supported: this server is one region.')
      }
      const { secret, versionId } = service.create({
        name: input.Name,
        description: input.Description,
        value: valueIn(input),
        token: input.ClientRequestToken,
        tags: input.Tags
      })
      return {
        ARN: service.arnOf(secret),
        Name: secret.name,
        ...(versionId === undefined ? {} : { VersionId: versionId })
      }
    }
  }),
  secretOperation({
    name: 'GetSecretValue',
    input: z.object({ SecretId, VersionId: Token.optional(), VersionStage: Stage.optional() }),
    target: (input, service) => readTarget(service, input.SecretId, input),
    run: (input, service) =>
      valueView(service, service.read(input.SecretId, { versionId: input.VersionId, stage: input.VersionStage }))
  }),
  secretOperation({
    name: 'BatchGetSecretValue',
    input: z.object({
      SecretIdList: z.array(SecretId).min(1).max(20).optional(),
      Filters: Filters.optional(),
      MaxResults: z.int().min(1).max(20).default(20),
      NextToken: PageInput.NextToken
    }),
    target: () => '*',
    run(input, service, caller) {
      if ((input.SecretIdList === undefined) === (input.Filters === undefined)) {
        throw new HearthError('INVALID_SECRET', 'Exactly one of SecretIdList and Filters must be there.')
      }
      const asked =
        input.SecretIdList ??
        service
          .list({ ascending: false, deleted: false })
          .filter((secret) => matchesFilters(secret, input.Filters ?? []))
          .map(({ name }) => name)
      // A page begins after an id: were it there twice, the list would go round and round.
      const found = [...new Set(asked)]
      const query = ['BatchGetSecretValue', input.SecretIdList, input.Filters] as const
      const { page, next } = pageOf(query, input, found, (id) => id)
      const SecretValues: object[] = []
      const Errors: object[] = []
      for (const id of page) {
        try {
          const { resource, context } = readTarget(service, id, {})
          caller.require('secretsmanager:GetSecretValue', resource, context)
          SecretValues.push(valueView(service, service.read(id)))
        } catch (thrown) {
          if (!(thrown instanceof HearthError)) throw thrown
          const { __type, message } = toJsonError(thrown).body
          Errors.push({ SecretId: id, ErrorCode: __type, Message: message })
        }
      }
      return { SecretValues, Errors, ...next }
    }
  }),
  secretOperation({
    name: 'PutSecretValue',
    input: z.object({
      SecretId,
      ClientRequestToken: Token.optional(),
      ...Value,
      VersionStages: z.array(Stage).min(1).max(20).optional()
    }),
    target: (input, service) => secretTarget(service, input.SecretId),
    run(input, service) {
      const value = valueIn(input)
      if (value === undefined)
        throw new HearthError('INVALID_SECRET', 'You must provide either SecretString or SecretBinary.')
      const { secret, version } = service.put(input.SecretId, value, {
        token: input.ClientRequestToken,
        stages: input.VersionStages
      })
      return {
        ARN: service.arnOf(secret),
        Name: secret.name,
        VersionId: version.versionId,
        VersionStages: version.stages
      }
    }
  }),
  secretOperation({
    name: 'UpdateSecret',
    input: z.object({
      SecretId,
      ClientRequestToken: Token.optional(),
      Description: Description.optional(),
      KmsKeyId,
      ...Value
    }),
    target: (input, service) => secretTarget(service, input.SecretId),
    run(input, service) {
      const value = valueIn(input)
      const written = value && service.put(input.SecretId, value, { token: input.ClientRequestToken })
      const secret =
        input.Description === undefined
          ? (written?.secret ?? service.get(input.SecretId))
          : service.describe(input.SecretId, input.Description)
      return {
        ARN: service.arnOf(secret),
        Name: secret.name,
        ...(written === undefined ? {} : { VersionId: written.version.versionId })
      }
    }
  }),
  secretOperation({
    name: 'UpdateSecretVersionStage',
    input: z.object({
      SecretId,
      VersionStage: Stage,
      RemoveFromVersionId: Token.optional(),
      MoveToVersionId: Token.optional()
    }),
    target: (input, service) =>
      secretTarget(service, input.SecretId, { 'secretsmanager:VersionStage': input.VersionStage }),
    run(input, service) {
      const secret = service.moveStage(
        input.SecretId,
        input.VersionStage,
        input.MoveToVersionId,
        input.RemoveFromVersionId
      )
      return { ARN: service.arnOf(secret), Name: secret.name }
    }
  })
]

function readTarget(
  service: SecretService,
  id: string,
  { VersionId, VersionStage }: { readonly VersionId?: string | undefined; readonly VersionStage?: string | undefined }
) {
  const stage = VersionStage ?? (VersionId === undefined ? CURRENT : undefined)
  return secretTarget(service, id, {
    ...(stage === undefined ? {} : { 'secretsmanager:VersionStage': stage }),
    ...(VersionId === undefined ? {} : { 'secretsmanager:VersionId': VersionId })
  })
}

/** @throws HearthError INVALID_SECRET when there are both */
function valueIn({ SecretString: text, SecretBinary: bytes }: ValueInput): SecretValue | undefined {
  if (text !== undefined && bytes !== undefined) {
    throw new HearthError('INVALID_SECRET', "You can't specify both a binary secret value and a string secret value.")
  }
  if (text !== undefined) return { kind: 'string', text }
  return bytes === undefined ? undefined : { kind: 'binary', text: bytes }
}

function valueView(service: SecretService, { secret, version, value }: OpenedSecret) {
  return {
    ARN: service.arnOf(secret),
    Name: secret.name,
    VersionId: version.versionId,
    [value.kind === 'string' ? 'SecretString' : 'SecretBinary']: value.text,
    VersionStages: version.stages,
    CreatedDate: seconds(version.createdAt)
  }
}
