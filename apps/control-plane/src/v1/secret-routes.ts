import { contextKeys, HearthError, SECRET_NAME } from '@hearth/shared'
import type { SecretRecord, SecretValue, SecretVersionRecord } from '@hearth/store'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { pageOf } from '../http/cursor.ts'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { tagContext } from '../iam/parameters.ts'
import type { RequestContext } from '../query/operation.ts'
import { resourceTagContext } from '../secrets/resource-tags.ts'
import type { SecretService } from '../secrets/secret-service.ts'
import { CURRENT } from '../secrets/secret-stages.ts'
import { ListQuery } from './function-schemas.ts'
import { tagList } from './principal-settings.ts'
import {
  DeleteQuery,
  SecretBody,
  SecretList,
  SecretParams,
  SecretView,
  ValueQuery,
  ValueView,
  VersionBody,
  VersionList,
  VersionView
} from './secret-schemas.ts'

const tags = ['secrets']
const PAGE = 50
/** A value whose characters are all written as escapes. */
const BODY_BYTES = 524_288
const DEFAULT_DAYS = 30

/** Secrets, as Secrets Manager has them. Mounted under `/v1/secrets`. */
export const secretRoutes: FastifyPluginAsyncZod<{ readonly secrets: SecretService }> = async (app, { secrets }) => {
  const ask = (request: FastifyRequest, name: string, operation: string, context: RequestContext = {}): void => {
    const { secret, arn } = secrets.find(name)
    const keys = contextKeys({
      'secretsmanager:SecretId': name,
      ...resourceTagContext(secret?.tags ?? {}, 'aws:ResourceTag', 'secretsmanager:ResourceTag'),
      ...context
    })
    request.requireAccess({ action: `secretsmanager:${operation}`, resource: arn, keys })
  }

  app.get(
    '/',
    {
      schema: {
        operationId: 'listSecrets',
        summary: 'List secrets by name, without their values',
        tags,
        querystring: ListQuery,
        response: { 200: SecretList }
      }
    },
    async (request) => {
      const { limit = PAGE, cursor } = request.query
      return pageOf(
        { query: ['secrets'], cursor, limit, key: SECRET_NAME },
        (after, most) => secrets.page(after, most),
        ({ name }) => name,
        (secret) => toView(secrets, secret)
      )
    }
  )

  app.put(
    '/:name',
    {
      bodyLimit: BODY_BYTES,
      preValidation: parseSecretBody,
      schema: {
        operationId: 'putSecret',
        summary: 'Create a secret, or say anew what it is',
        description:
          'Description and tags that are not named become as they are for a new secret; a value that is not named stays. A value that is the current one already makes no new version.',
        tags,
        params: SecretParams,
        body: SecretBody,
        response: { 200: SecretView.describe('Changed'), 201: SecretView.describe('Created') }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { description = '', tags: wanted = {} } = request.body
      const value = valueIn(request.body)
      const { secret } = secrets.find(name)
      const added = tagList(wanted)
      const isNew = secret === undefined
      ask(request, name, isNew ? 'CreateSecret' : 'UpdateSecret', {
        'secretsmanager:Name': name,
        ...tagContext(added)
      })
      const dropped = Object.keys(secret?.tags ?? {}).filter((key) => !Object.hasOwn(wanted, key))
      if (added.length > 0) ask(request, name, 'TagResource', tagContext(added))
      if (dropped.length > 0) ask(request, name, 'UntagResource', { 'aws:TagKeys': dropped })
      if (!isNew && value !== undefined) ask(request, name, 'PutSecretValue')
      secrets.write({ name, description, value, tags: added }, !isNew)
      request.log.info({ secret: name, created: isNew }, 'secret written')
      void reply.code(isNew ? 201 : 200)
      return toView(secrets, secrets.get(name))
    }
  )

  app.get(
    '/:name',
    {
      schema: {
        operationId: 'getSecret',
        summary: 'Get a secret without its value',
        tags,
        params: SecretParams,
        response: { 200: SecretView }
      }
    },
    async (request) => {
      ask(request, request.params.name, 'DescribeSecret')
      return toView(secrets, secrets.get(request.params.name))
    }
  )

  app.get(
    '/:name/value',
    {
      schema: {
        operationId: 'getSecretValue',
        summary: 'Get the value of a secret',
        tags,
        params: SecretParams,
        querystring: ValueQuery,
        response: { 200: ValueView }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      const { versionId, stage } = request.query
      const asked = stage ?? (versionId === undefined ? CURRENT : undefined)
      ask(request, name, 'GetSecretValue', {
        ...(asked === undefined ? {} : { 'secretsmanager:VersionStage': asked }),
        ...(versionId === undefined ? {} : { 'secretsmanager:VersionId': versionId })
      })
      const { secret, version, value } = secrets.read(name, { versionId, stage })
      void reply.header('cache-control', 'no-store')
      return {
        ...toVersionView(secrets, secret, version),
        ...(value.kind === 'string' ? { value: value.text } : { valueBase64: value.text })
      }
    }
  )

  app.get(
    '/:name/versions',
    {
      schema: {
        operationId: 'listSecretVersions',
        summary: 'List the versions of a secret, newest first',
        tags,
        params: SecretParams,
        response: { 200: VersionList }
      }
    },
    async (request) => {
      const { name } = request.params
      ask(request, name, 'ListSecretVersionIds')
      const { name: found } = secrets.get(name)
      const items = secrets.versions(found).map(({ versionId, stages, createdAt, accessedAt }) => ({
        versionId,
        stages: [...stages],
        createdAt: timeOf(createdAt),
        lastReadOn: accessedAt === undefined ? null : timeOf(accessedAt).slice(0, 10)
      }))
      return { items: items.reverse() }
    }
  )

  app.post(
    '/:name/versions',
    {
      bodyLimit: BODY_BYTES,
      preValidation: parseSecretBody,
      schema: {
        operationId: 'putSecretVersion',
        summary: 'Give a secret a new value',
        tags,
        params: SecretParams,
        body: VersionBody,
        response: { 201: VersionView }
      }
    },
    async (request, reply) => {
      const { name } = request.params
      ask(request, name, 'PutSecretValue')
      const value = valueIn(request.body)
      if (value === undefined) throw new HearthError('INVALID_SECRET', 'value or valueBase64 is needed.')
      const { versionId: token, stages } = request.body
      const { secret, version } = secrets.put(name, value, { token, stages })
      request.log.info({ secret: name, versionId: version.versionId }, 'secret version written')
      void reply.code(201)
      return toVersionView(secrets, secret, version)
    }
  )

  app.delete(
    '/:name',
    {
      schema: {
        operationId: 'deleteSecret',
        summary: 'Delete a secret, at once or after a time in which it can be restored',
        tags,
        params: SecretParams,
        querystring: DeleteQuery,
        response: { 200: SecretView }
      }
    },
    async (request) => {
      const { name } = request.params
      const { recoveryDays = DEFAULT_DAYS } = request.query
      ask(request, name, 'DeleteSecret', {
        'secretsmanager:ForceDeleteWithoutRecovery': String(recoveryDays === 0),
        ...(recoveryDays === 0 ? {} : { 'secretsmanager:RecoveryWindowInDays': String(recoveryDays) })
      })
      const removed = secrets.remove(name, recoveryDays)
      request.log.info({ secret: name, recoveryDays }, 'secret deleted')
      return toView(secrets, removed)
    }
  )

  app.post(
    '/:name/restore',
    {
      schema: {
        operationId: 'restoreSecret',
        summary: 'Take the deletion of a secret back',
        tags,
        params: SecretParams,
        response: { 200: SecretView }
      }
    },
    async (request) => {
      const { name } = request.params
      ask(request, name, 'RestoreSecret')
      const restored = secrets.restore(name)
      request.log.info({ secret: name }, 'secret restored')
      return toView(secrets, restored)
    }
  )
}

/** For preValidation. What is wrong with JSON is told by a piece of it, which may be the secret: here it is not. */
async function parseSecretBody(request: FastifyRequest): Promise<void> {
  const bytes = bytesOf(request)
  try {
    request.body = bytes.length === 0 ? {} : parseJsonObject(bytes)
  } catch {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not a JSON object in UTF-8.')
  }
}

interface ValueInput {
  readonly value?: string | undefined
  readonly valueBase64?: string | undefined
}

/** @throws HearthError INVALID_SECRET when there are both */
function valueIn({ value: text, valueBase64: bytes }: ValueInput): SecretValue | undefined {
  if (text !== undefined && bytes !== undefined) {
    throw new HearthError('INVALID_SECRET', 'Either value or valueBase64, not both.')
  }
  if (text !== undefined) return { kind: 'string', text }
  return bytes === undefined ? undefined : { kind: 'binary', text: bytes }
}

function toView(secrets: SecretService, secret: SecretRecord): z.input<typeof SecretView> {
  const labelled = secrets.versions(secret.name).filter(({ stages }) => stages.length > 0)
  return {
    name: secret.name,
    arn: secrets.arnOf(secret),
    description: secret.description,
    tags: secret.tags,
    versions: labelled.map(({ versionId, stages, createdAt }) => ({
      versionId,
      stages: [...stages],
      createdAt: timeOf(createdAt)
    })),
    createdAt: timeOf(secret.createdAt),
    changedAt: timeOf(secret.changedAt),
    deletedAt: secret.deletedAt === undefined ? null : timeOf(secret.deletedAt),
    purgeAt: secret.purgeAt === undefined ? null : timeOf(secret.purgeAt)
  }
}

function toVersionView(secrets: SecretService, secret: SecretRecord, version: SecretVersionRecord) {
  return {
    name: secret.name,
    arn: secrets.arnOf(secret),
    versionId: version.versionId,
    stages: [...version.stages],
    createdAt: timeOf(version.createdAt)
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
