import { ask } from './harness.ts'

/** Time that passes when it is told to. */
export function testClock() {
  const timers = new Set<{ at: number; run: () => void }>()
  let now = Date.parse('2026-01-02T03:04:05Z')
  return {
    now: () => now,
    after(ms: number, run: () => void) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    pass(ms: number) {
      now += ms
      for (const timer of [...timers]) {
        if (timer.at > now) continue
        timers.delete(timer)
        timer.run()
      }
    },
    nextIn: () => Math.min(...[...timers].map(({ at }) => at - now))
  }
}

export async function shown(port: number, requestId: string): Promise<Record<string, unknown>> {
  const answer = await ask(port, `/v1/invocations/${requestId}`)
  return JSON.parse(answer.body) as Record<string, unknown>
}

export async function isShown(port: number, requestId: string, status: string): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 500; tries++) {
    const now = await shown(port, requestId)
    if (now['status'] === status) return now
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${requestId} never was ${status}`)
}
