import { Counter, type Registry } from 'prom-client'

const RESULTS = ['accepted', 'repeated', 'refused', 'too-large', 'paused', 'failed'] as const

export type WebhookResult = (typeof RESULTS)[number]

/** What becomes of requests to webhooks. */
export interface WebhookCounts {
  ended(result: WebhookResult): void
}

export function createWebhookCounts(registers: Registry[]): WebhookCounts {
  const requests = new Counter({
    name: 'hearth_webhook_requests_total',
    help: 'Requests to webhooks by what became of them; refused: not signed as they should be.',
    labelNames: ['result'],
    registers
  })
  for (const result of RESULTS) requests.inc({ result }, 0)
  return {
    ended(result) {
      requests.inc({ result })
    }
  }
}
