import type { FastifyBaseLogger } from 'fastify'

/** Where the parts of the control plane tell the operator something. */
export type Log = (level: 'info' | 'warn' | 'error', fields: Record<string, unknown>, message: string) => void

/** The app that logs is built on the parts that do: what they say before it is there is dropped. */
export function createLateLog(): { readonly log: Log; readonly to: (logger: FastifyBaseLogger) => void } {
  let logger: FastifyBaseLogger | undefined
  return {
    log(level, fields, message) {
      logger?.[level](fields, message)
    },
    to(opened) {
      logger = opened
    }
  }
}
