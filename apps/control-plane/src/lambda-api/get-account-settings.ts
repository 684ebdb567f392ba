import type { Operation } from './operation.ts'

/** @see reference: Lambda control API §14 */
export const getAccountSettings: Operation = {
  name: 'GetAccountSettings',
  method: 'GET',
  path: '/2016-08-19/account-settings',
  note: "`TotalCodeSize` of the limit is what the disk has room for, `ConcurrentExecutions` is this server's `HEARTH_CONCURRENCY`",

  run(_call, { account }) {
    const { limit, usage } = account()
    return {
      status: 200,
      body: {
        AccountLimit: {
          TotalCodeSize: limit.codeBytes,
          CodeSizeUnzipped: limit.unzippedBytes,
          CodeSizeZipped: limit.zipBytes,
          ConcurrentExecutions: limit.concurrency,
          UnreservedConcurrentExecutions: limit.unreservedConcurrency
        },
        AccountUsage: { TotalCodeSize: usage.codeBytes, FunctionCount: usage.functions }
      }
    }
  }
}
