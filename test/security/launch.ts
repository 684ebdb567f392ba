import type { Report } from './attack.ts'
import type { World } from './world.ts'

/** Every caller has an answer by then: several times any attack's own timeout, as forty that spin at once wait for a CPU. */
const ANSWER_MS = 40_000

/** A function to deploy and call once, or several times at once. */
export interface Shot {
  /** Its name, found in the command line or environment of all its processes. */
  readonly marker: string
  readonly body: string | Uint8Array
  /** Query of the deployment; the last one of several with the same name counts. */
  readonly settings: string
  readonly event: unknown
  readonly via?: 'url' | undefined
  readonly calls?: number | undefined
  readonly answerMs?: number
}

/** Deploys and calls it. */
export async function launch(shot: Shot, world: World): Promise<Report> {
  const { marker, via, calls = 1, answerMs = ANSWER_MS } = shot
  const settings = new URLSearchParams(`timeout=10&env.ATTACK=${marker}&${shot.settings}`)
  const deployed = await world.hearth.deploy(
    marker,
    shot.body,
    String(new URLSearchParams(Object.fromEntries(settings)))
  )
  const startedAt = performance.now()
  if (deployed.status !== 201) return toReport(marker, deployed, 'refused', startedAt)
  await deployed.body?.cancel()
  const target = via === 'url' ? `/fn/${marker}` : `/v1/functions/${marker}/invocations`
  const reports = await Promise.all(
    Array.from({ length: calls }, async () => {
      const signal = AbortSignal.timeout(answerMs)
      const call = world.hearth.request(target, { method: 'POST', body: JSON.stringify(shot.event), signal })
      return call
        .then((answer) => toReport(marker, answer, undefined, startedAt))
        .catch((error: unknown) => toReport(marker, Response.error(), `no answer: ${String(error)}`, startedAt))
    })
  )
  return reports.find(({ status }) => status === 0) ?? reports[0]!
}

async function toReport(
  functionName: string,
  answer: Response,
  failure: string | undefined,
  startedAt: number
): Promise<Report> {
  const text = await answer.text()
  const value = parse(text)
  return {
    functionName,
    status: answer.status,
    failure: failure ?? answer.headers.get('x-hearth-function-error') ?? '',
    headers: answer.headers,
    text,
    ms: Math.round(performance.now() - startedAt),
    loot: value?.loot ?? [],
    refused: value?.refused ?? {},
    notes: value?.notes ?? {}
  }
}

type Findings = Partial<Pick<Report, 'loot' | 'refused' | 'notes'>>

/** What an attack answered: JSON, or lines of words with tabs between. */
function parse(text: string): Findings | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'string') return value as Findings | null
  const rows = value.split('\n').map((line) => line.split('\t'))
  return {
    loot: rows.filter(([kind]) => kind === 'loot').map(([, name = '']) => name),
    refused: Object.fromEntries(
      rows.filter(([kind]) => kind === 'refused').map(([, name = '', error = '']) => [name, error])
    )
  }
}
