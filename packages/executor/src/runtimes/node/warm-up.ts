import { createRequire } from 'node:module'
import path from 'node:path'
import { encodeInvoke } from '../../channel/frame-writer.ts'
import { Channel, type Transport } from './channel.ts'
import { type Handler, loadHandler } from './handler-loader.ts'
import { createLogger } from './logger.ts'
import { OneByOne } from './one-by-one.ts'

const ROUNDS = 200
const LOG_EVERY = 10
const FAIL_EVERY = 20

/** Modules that functions use and Node loads lazily. */
const MODULES = [
  'async_hooks',
  'buffer',
  'crypto',
  'dns',
  'events',
  'fs/promises',
  'http',
  'https',
  'net',
  'os',
  'path',
  'querystring',
  'stream',
  'stream/promises',
  'string_decoder',
  'timers/promises',
  'tls',
  'url',
  'util',
  'zlib'
]

/**
 * Runs what the first event will run, before there is a function: loads Node's lazy modules and serves events of its
 * own through the real path, with nobody at the other end. What is compiled and cached then is warm for the first
 * caller.
 */
export async function warmUp(): Promise<void> {
  const load = createRequire(__filename)
  for (const name of MODULES) load(`node:${name}`)
  // Two real functions through the real loader: the first file that is imported starts threads and compiles more than
  // all that comes after it.
  for (const name of ['module', 'common']) {
    await loadHandler(path.join(__dirname, 'warm'), `${name}.handler`, 'nodejs20.x')
  }
  await new Promise<void>((resolve) => {
    const channel = new Channel(nowhere())
    const facts = { functionName: '', functionVersion: '', memoryMiB: 128, logGroup: '', logStream: '' }
    const backend = new OneByOne({ channel, facts, trace: nothing, progress: nothing, ended: resolve })
    const logger = createLogger('Text', 'TRACE', backend.requestId, backend.log)
    let round = 0
    const handler: Handler = {
      callbacks: true,
      isAsync: true,
      streaming: undefined,
      call: async (event) => {
        round++
        if (round % LOG_EVERY === 0) logger.write(2, ['%s events', round])
        if (round % FAIL_EVERY === 0) throw new Error('warm-up')
        return event
      }
    }
    backend.serve(handler, logger)
  })
}

function nothing(): void {
  // There is nobody to tell.
}

/** A channel on which events come as long as the warm-up lasts, and where answers go nowhere. */
function nowhere(): Transport {
  const payload = Buffer.from('{"key":"value","list":[1,2,3]}')
  let seq = 0
  return {
    read: (into, at) => {
      if (seq === ROUNDS) return 0
      const frame = encodeInvoke(++seq, Date.now() + 3000, '00000000-0000-4000-8000-000000000000', '', '', '', payload)
      return frame.copy(into, at)
    },
    write: (_from, _at, bytes) => bytes,
    listen: nothing,
    silence: nothing,
    keepAlive: nothing
  }
}
