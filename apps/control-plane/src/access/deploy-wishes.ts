import { type Wish } from '@hearth/shared'
import { passRole } from './pass-role.ts'

/** What of a deploy is to be allowed. */
export interface DeployIntent {
  /** ARN of the function. */
  readonly functionArn: string
  readonly exists: boolean
  readonly publishes: boolean
  /** ARN of the role that it is to get; undefined: it keeps its own, or gets the default one. */
  readonly role: string | undefined
  /** ARNs of layer versions. */
  readonly layers: readonly string[]
}

/** A deploy is several of AWS's operations in one, and asks for the right to each of them. */
export function deployWishes({ functionArn, exists, publishes, role, layers }: DeployIntent): readonly Wish[] {
  const actions = exists
    ? [
        'lambda:UpdateFunctionCode',
        'lambda:UpdateFunctionConfiguration',
        ...(publishes ? ['lambda:PublishVersion'] : [])
      ]
    : ['lambda:CreateFunction']
  return [
    ...actions.map((action) => ({ action, resource: functionArn })),
    ...(role === undefined ? [] : [passRole(role)]),
    ...layers.map((resource) => ({ action: 'lambda:GetLayerVersion', resource }))
  ]
}
