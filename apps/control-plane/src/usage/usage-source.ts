import http from 'node:http'
import { createInterface } from 'node:readline'
import { type Architecture, type FunctionUsageDay, HearthError, MEASURES, type Measure } from '@hearth/shared'

/** What functions used, as the gateway has counted it. Its file is locked while it runs, so it is asked. */
export interface UsageSource {
  /**
   * Day by day.
   *
   * @param from - First and last day since 1970-01-01, UTC
   * @throws HearthError GATEWAY_UNAVAILABLE
   */
  read(from: number, to: number): AsyncIterable<FunctionUsageDay>
}

export interface UsageSourceOptions {
  readonly host: string
  /** 0: nobody knows. */
  readonly port: number
  readonly internalToken: string
}

/** Without a byte of an answer. */
const TIMEOUT_MS = 10_000

type Row = [functionName: string, role: string, architecture: Architecture, ...measures: number[]]

/** @param options - Where the gateway of this server is reached */
export function createUsageSource({ host, port, internalToken }: UsageSourceOptions): UsageSource {
  function ask(path: string): Promise<http.IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${internalToken}` }
      const req = http.get({ host, port, path, agent: false, timeout: TIMEOUT_MS, headers }, resolve)
      req.on('timeout', () => req.destroy(new Error('the gateway takes too long')))
      req.on('error', reject)
    })
  }

  return {
    async *read(from, to) {
      try {
        const res = await ask(`/internal/function-usage?from=${from}&to=${to}`)
        if (res.statusCode !== 200) {
          res.resume()
          throw new Error(`the gateway answered ${res.statusCode}`)
        }
        for await (const line of createInterface({ input: res, crlfDelay: Number.POSITIVE_INFINITY })) {
          const [day, ...rows] = JSON.parse(line) as [number, ...Row[]]
          for (const row of rows) yield toUsageDay(day, row)
        }
        if (!res.complete) throw new Error('the gateway’s answer was cut short')
      } catch (cause) {
        throw new HearthError('GATEWAY_UNAVAILABLE', 'The gateway does not say now what functions used.', { cause })
      }
    }
  }
}

function toUsageDay(day: number, [functionName, role, architecture, ...measures]: Row): FunctionUsageDay {
  const usage = Object.fromEntries(MEASURES.map((measure, index) => [measure, measures[index]!]))
  return { day, functionName, role, architecture, usage: usage as Record<Measure, number> }
}
