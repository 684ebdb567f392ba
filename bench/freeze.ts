import { startHearth } from '@hearth/test/helpers/hearth'
import { cpuSeconds, quantile } from './processes.ts'

/** What freezing between events costs a caller. */
export interface FreezeResult {
  /** Value of HEARTH_FREEZE_MS. */
  readonly setting: string
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of all the server's processes. */
  readonly cpuUs: number
}

/** @param count - Calls of one warm function, one after the other, per setting */
export async function measureFreeze(count: number): Promise<readonly FreezeResult[]> {
  const results: FreezeResult[] = []
  for (const setting of ['never', '100', '0']) {
    const server = await startHearth({ env: { HEARTH_FREEZE_MS: setting } })
    try {
      const deployed = await server.deploy('freeze.mjs', 'export const handler = async (event) => event\n')
      if (!deployed.ok) throw new Error(await deployed.text())
      const call = async () => (await server.invoke('freeze', {})).arrayBuffer()
      for (let n = 0; n < 500; n++) await call()
      const samples: number[] = []
      const cpuBefore = cpuSeconds(server.supervisor.pid!)
      for (let n = 0; n < count; n++) {
        const startedAt = performance.now()
        await call()
        samples.push(performance.now() - startedAt)
      }
      const cpuUs = ((cpuSeconds(server.supervisor.pid!) - cpuBefore) / count) * 1e6
      results.push({ setting, p50Ms: quantile(samples, 0.5), p99Ms: quantile(samples, 0.99), cpuUs })
    } finally {
      await server.stop()
    }
  }
  return results
}
