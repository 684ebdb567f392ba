import type { Provisioned } from '../functions/concurrency-service.ts'

/** What Get and Put answer, and the list has of each. @see reference: Lambda control API §8 */
export function toProvisionedConfig(config: Provisioned): object {
  return {
    RequestedProvisionedConcurrentExecutions: config.requested,
    AvailableProvisionedConcurrentExecutions: config.available,
    AllocatedProvisionedConcurrentExecutions: config.allocated,
    Status: config.status,
    ...(config.statusReason === undefined ? {} : { StatusReason: config.statusReason }),
    // Whole seconds, unlike a function's.
    LastModified: config.lastModified.replace(/(\.\d+)?Z$/, '+0000')
  }
}
