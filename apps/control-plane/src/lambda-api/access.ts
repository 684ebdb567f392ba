import {
  type ArnScope,
  type ContextKeys,
  functionArn,
  HearthError,
  layerArn,
  layerVersionArn,
  parseFunctionRef,
  parseLayerName,
  type Wish
} from '@hearth/shared'
import { passRole } from '../access/pass-role.ts'
import type { LambdaApiDeps, Operation, OperationCall } from './operation.ts'

/** Operations whose action has another name. @see reference: IAM §1.2 */
const ACTIONS: Readonly<Record<string, string>> = { GetLayerVersionByArn: 'lambda:GetLayerVersion' }

/** Those that are about no one resource. @see reference: IAM §1.4 */
const WITHOUT_RESOURCE = new Set(['ListLayerVersions', 'ListFunctionsByCodeSigningConfig'])

/** All that a caller must be allowed for one call of an operation, the operation itself first. */
export function wishesOf(operation: Operation, call: OperationCall, deps: LambdaApiDeps): readonly Wish[] {
  const { name } = operation
  const own: Wish = {
    action: ACTIONS[name] ?? `lambda:${name}`,
    resource: WITHOUT_RESOURCE.has(name) ? '*' : resourceOf(operation, call, deps.scope),
    keys: keysOf(call, deps)
  }
  if (name !== 'CreateFunction' && name !== 'UpdateFunctionConfiguration') return [own]
  const { Role: role, Layers: layers } = call.body
  return [
    own,
    ...(typeof role === 'string' && role !== '' ? [passRole(role)] : []),
    ...texts(layers).map((resource): Wish => ({ action: 'lambda:GetLayerVersion', resource }))
  ]
}

/**
 * The ARN that a call names. Where it names something that nothing can be called, it stands for nothing in particular:
 * the operation says what is wrong with it.
 */
function resourceOf({ path }: Operation, { params, query, body }: OperationCall, scope: ArnScope): string {
  const { name, version, arn, resource } = params
  try {
    if (path.endsWith('/functions') && typeof body['FunctionName'] === 'string') {
      return functionArn(scope, parseFunctionRef(scope, body['FunctionName']).name)
    }
    if (name !== undefined && path.includes('/functions/:')) {
      const qualifier = query['Qualifier']
      const ref = parseFunctionRef(
        scope,
        name,
        typeof qualifier === 'string' && qualifier !== '' ? qualifier : undefined
      )
      return functionArn(scope, ref.name, ref.qualifier)
    }
    if (name !== undefined && path.includes('/layers/:')) {
      const layer = parseLayerName(scope, name)
      return version === undefined ? layerArn(scope, layer) : layerVersionArn(scope, layer, Number(version))
    }
  } catch (err) {
    if (!(err instanceof HearthError)) throw err
    return '*'
  }
  const byArn = query['Arn']
  return arn ?? resource ?? (typeof byArn === 'string' ? byArn : '*')
}

/** Condition keys of Lambda. @see reference: IAM §1.4 */
function keysOf({ body, params }: OperationCall, deps: LambdaApiDeps): ContextKeys {
  return (key) => {
    if (key.startsWith('aws:requesttag/')) return tagIn(tagsIn(body), key.slice(15))
    if (key.startsWith('aws:resourcetag/')) return tagIn(storedTags(params, deps), key.slice(16))
    switch (key) {
      case 'aws:tagkeys':
        return Object.keys(tagsIn(body))
      case 'lambda:layer':
        return texts(body['Layers'])
      case 'lambda:codesigningconfigarn':
        return text(body['CodeSigningConfigArn'])
      case 'lambda:functionurlauthtype':
        return text(body['AuthType']) ?? text(body['FunctionUrlAuthType'])
      case 'lambda:principal':
        return text(body['Principal'])
      default:
        return undefined
    }
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function tagsIn(body: OperationCall['body']): Readonly<Record<string, unknown>> {
  const tags = body['Tags']
  return typeof tags === 'object' && tags !== null ? (tags as Record<string, unknown>) : {}
}

function storedTags({ name, resource }: OperationCall['params'], deps: LambdaApiDeps) {
  const reference = name ?? resource
  if (reference === undefined) return {}
  try {
    return deps.tags.get(parseFunctionRef(deps.scope, reference).name)
  } catch (err) {
    if (err instanceof HearthError) return {}
    throw err
  }
}

function tagIn(tags: Readonly<Record<string, unknown>>, lowerName: string): string | undefined {
  for (const [name, value] of Object.entries(tags)) if (name.toLowerCase() === lowerName) return text(value)
  return undefined
}
