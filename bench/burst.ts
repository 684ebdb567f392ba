import type { Hearth } from '@hearth/test/helpers/hearth'
import type { ColdTarget } from './cold.ts'

/** Many functions called for the first time at the same moment. */
export interface BurstResult {
  /** Until the last answer was there. */
  readonly lastMs: number
}

/** Deploys `count` functions that are all the same but for their names. */
export async function deployMany(hearth: Hearth, target: ColdTarget, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, i) => `burst-${i}`)
  for (const name of names) {
    const deployed = await hearth.deploy(name, target.body, target.query)
    if (!deployed.ok) throw new Error(await deployed.text())
  }
  return names
}

/** Ends the instances of all of them by a changed variable. */
export async function renew(hearth: Hearth, names: readonly string[], change: string): Promise<void> {
  for (const name of names) {
    const changed = await hearth.request(`/v1/functions/${name}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ env: { CHANGE: change } })
    })
    if (!changed.ok) throw new Error(await changed.text())
  }
}

/** Calls each of them once, all at the same time. */
export async function burst(hearth: Hearth, names: readonly string[]): Promise<BurstResult> {
  const startedAt = performance.now()
  await Promise.all(
    names.map(async (name) => {
      const answer = await hearth.invoke(name, { name })
      const text = await answer.text()
      if (!answer.ok || !text.includes(name)) throw new Error(`${name}: ${answer.status} ${text}`)
    })
  )
  return { lastMs: performance.now() - startedAt }
}
