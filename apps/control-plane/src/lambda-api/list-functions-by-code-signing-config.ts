import { functionArn } from '@hearth/shared'
import { signingArnOf } from './code-signing-view.ts'
import type { Operation } from './operation.ts'
import { listPage } from './page.ts'

/** @see reference: Lambda control API §15 */
export const listFunctionsByCodeSigningConfig: Operation = {
  name: 'ListFunctionsByCodeSigningConfig',
  method: 'GET',
  path: '/2020-04-22/code-signing-configs/:arn/functions',

  run(call, { codeSigning, scope }) {
    const arn = signingArnOf(call)
    const { items, next } = listPage(
      call,
      ['ListFunctionsByCodeSigningConfig', arn],
      (after, limit) => codeSigning.functionsOf(arn, after, limit),
      (name) => name
    )
    return { status: 200, body: { FunctionArns: items.map((name) => functionArn(scope, name)), ...next } }
  }
}
