import { toCodeSigningConfig } from './code-signing-view.ts'
import type { Operation } from './operation.ts'
import { listPage } from './page.ts'

/** @see reference: Lambda control API §15 */
export const listCodeSigningConfigs: Operation = {
  name: 'ListCodeSigningConfigs',
  method: 'GET',
  path: '/2020-04-22/code-signing-configs',

  run(call, { codeSigning }) {
    const { items, next } = listPage(
      call,
      ['ListCodeSigningConfigs'],
      (after, limit) => codeSigning.list(after, limit),
      ({ id }) => id
    )
    return {
      status: 200,
      body: { CodeSigningConfigs: items.map((config) => toCodeSigningConfig(config, codeSigning)), ...next }
    }
  }
}
