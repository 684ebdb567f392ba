import { type ArnScope, type FunctionRecord, functionArn, HearthError } from '@hearth/shared'

/** Decides on the record that it may change; throws to refuse. */
export type Precondition = (current: { readonly revisionId: string; readonly name: string } | undefined) => void

/** Refuses when `revisionId` is given and is not the current one. */
export function requireRevision(revisionId: string | undefined): Precondition {
  return (current) => {
    if (revisionId === undefined || current === undefined || current.revisionId === revisionId) return
    throw new HearthError(
      'REVISION_MISMATCH',
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id'
    )
  }
}

export function functionNotFound(scope: ArnScope, name: string, qualifier?: string): HearthError {
  return new HearthError('FUNCTION_NOT_FOUND', `Function not found: ${functionArn(scope, name, qualifier)}`)
}

/** @throws HearthError UPDATE_IN_PROGRESS while a change of the function is not done */
export function refuseUnsettled(current: FunctionRecord, scope: ArnScope): void {
  const problem = unsettledProblem(current, scope)
  if (problem !== undefined) throw new HearthError('UPDATE_IN_PROGRESS', problem)
}

function unsettledProblem(current: FunctionRecord, scope: ArnScope): string | undefined {
  if (current.state === 'Pending') {
    return 'The operation cannot be performed at this time. The function is currently in the following state: Pending'
  }
  if (current.lastUpdateStatus === 'InProgress') {
    return `The operation cannot be performed at this time. An update is in progress for resource: ${functionArn(scope, current.name)}`
  }
  return undefined
}
