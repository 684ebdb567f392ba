import { eventually, type Hearth } from '@hearth/test/helpers/hearth'
import { quantile } from './processes.ts'

/** Milliseconds of one cold start, as the client and as the server's own phases saw it. */
interface Sample {
  readonly total: number
  readonly queue: number
  readonly sandbox: number
  readonly init: number
  readonly exec: number
}

/** A function named `cold` that answers with its event. */
export interface ColdTarget {
  readonly title: string
  readonly file: string
  readonly body: string | Uint8Array
  readonly query: string
  /** AWS's identifier. */
  readonly runtime: string
  readonly memoryMiB: number
}

const NODE: ColdTarget = {
  title: 'Node.js',
  file: 'cold.mjs',
  body: 'export const handler = async (event) => event\n',
  query: '',
  runtime: `nodejs${process.versions.node.split('.')[0]}.x`,
  memoryMiB: 128
}

export interface ColdResult {
  readonly name: string
  readonly samples: number
  readonly phases: Readonly<Record<keyof Sample, { readonly p50: number; readonly p99: number }>>
}

/**
 * Cold starts of a small function, one after the other: each is forced by a changed variable of the function, which retires its
 * instances, and begins when the stock of booted sandboxes is full again.
 * @param prestarted - Sandboxes that the server keeps ready; 0 when it keeps none
 */
export async function measureCold(
  hearth: Hearth,
  name: string,
  count: number,
  prestarted: number,
  target: ColdTarget = NODE
): Promise<ColdResult> {
  const deployed = await hearth.deploy(target.file, target.body, target.query)
  if (!deployed.ok) throw new Error(await deployed.text())
  // From its first call on, sandboxes of its kind are kept ready.
  await (await hearth.invoke('cold', {})).arrayBuffer()
  const samples: Sample[] = []
  for (let i = 0; i < count; i++) {
    const changed = await hearth.request('/v1/functions/cold', {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ env: { CHANGE: String(i) } })
    })
    if (!changed.ok) throw new Error(await changed.text())
    await eventually(async () => (await prestartedOf(hearth, target)).ready >= prestarted)
    const startedAt = performance.now()
    const answer = await hearth.invoke('cold', { i })
    await answer.arrayBuffer()
    const total = performance.now() - startedAt
    if (!answer.ok) throw new Error(`cold start failed with ${answer.status}`)
    const timing = answer.headers.get('server-timing') ?? ''
    const phase = (key: string) => Number(new RegExp(`${key};dur=([\\d.]+)`).exec(timing)?.[1] ?? 0)
    const sample = { total, queue: phase('queue'), sandbox: phase('sandbox'), init: phase('init'), exec: phase('exec') }
    if (sample.init === 0) throw new Error(`that was not a cold start: ${timing}`)
    samples.push(sample)
  }
  const stats = (key: keyof Sample) => {
    const values = samples.map((sample) => sample[key])
    return { p50: quantile(values, 0.5), p99: quantile(values, 0.99) }
  }
  return {
    name,
    samples: samples.length,
    phases: {
      total: stats('total'),
      queue: stats('queue'),
      sandbox: stats('sandbox'),
      init: stats('init'),
      exec: stats('exec')
    }
  }
}

/** Sandboxes of a function's kind that are ready, and how many there are to be. */
export async function prestartedOf(hearth: Hearth, target: ColdTarget): Promise<{ ready: number; wanted: number }> {
  const { items } = (await (await hearth.request('/v1/runtimes')).json()) as {
    items: { id: string; prestarted: { memoryMiB: number; ready: number; target: number }[] }[]
  }
  const kinds = items.find(({ id }) => id === target.runtime)?.prestarted ?? []
  const kind = kinds.find(({ memoryMiB }) => memoryMiB === target.memoryMiB)
  return { ready: kind?.ready ?? 0, wanted: kind?.target ?? 0 }
}
