import { matchesGlob, parseGlob } from '@hearth/shared'
import { API_AREAS } from '../lambda-api/catalogue.ts'

/** Operations whose permission has another name, or that have none of their own. @see reference: IAM §1.2 */
const RENAMED = new Set(['Invoke', 'InvokeWithResponseStream', 'GetLayerVersionByArn'])
const LAMBDA_ACTIONS = [
  ...API_AREAS.flatMap(({ operations }) => Object.keys(operations)).filter((name) => !RENAMED.has(name)),
  'InvokeFunction',
  'InvokeFunctionUrl'
].map((name) => `lambda:${name}`.toLowerCase())

/**
 * What a document says that can never come true: actions of Lambda that there are not. Those of other services are not
 * known well enough.
 *
 * @param document - A policy that was checked.
 */
export function noticesOf(document: string): readonly string[] {
  const { Statement } = JSON.parse(document) as { readonly Statement: unknown }
  const statements = [Statement].flat() as readonly Readonly<Record<string, unknown>>[]
  const actions = statements.flatMap(actionsOf)
  return [...new Set(actions)]
    .filter((action) => /^lambda:/i.test(action))
    .filter((action) => {
      const glob = parseGlob(action.toLowerCase())
      return !LAMBDA_ACTIONS.some((known) => matchesGlob(glob, known))
    })
    .map((action) => `Lambda has no action ${action}: nothing is permitted or forbidden by it.`)
}

function actionsOf(statement: Readonly<Record<string, unknown>>): readonly string[] {
  const value = statement['Action'] ?? statement['NotAction']
  return (Array.isArray(value) ? value : [value]) as readonly string[]
}
