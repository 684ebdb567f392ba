import type { InitMessage } from '../../protocol.ts'
import type { Surroundings } from './backend.ts'
import { Channel, openSocket } from './channel.ts'
import { createTraceSetter, enterFunction } from './environment.ts'
import { ManyAtOnce } from './many-at-once.ts'
import { OneByOne } from './one-by-one.ts'
import { exit, parse } from './primordials.ts'
import { openProgress } from './progress.ts'
import { serveOnMainThread } from './serve.ts'
import { serveOnThreads } from './threads.ts'
import { warmUp } from './warm-up.ts'

/** The channel to the gateway, and the page that shows how far events have come. */
const CHANNEL_FD = 3
const PROGRESS_FD = 4

/**
 * The Node.js runtime: started ahead without a function, it gets ready, waits for INIT, becomes an instance of that
 * function and serves events until the gateway ends it.
 */
async function main(): Promise<void> {
  const ended = (): void => {
    exit(0)
  }
  const channel = new Channel(openSocket(CHANNEL_FD, ended))
  const progress = openProgress(PROGRESS_FD)
  writeAtOnce(process.stdout)
  writeAtOnce(process.stderr)
  await warmUp()
  channel.outbox.ready()
  channel.flush()
  if (!channel.receive()) exit(0)
  const message = parse(channel.inbox.takeText()) as InitMessage

  enterFunction(message)
  const trace = message.concurrency === 1 ? createTraceSetter() : (): void => undefined
  const around: Surroundings = { channel, facts: message, trace, progress, ended }
  if (message.backend === 'process') await serveOnMainThread(channel, message, new OneByOne(around))
  else if (message.threads === 0) await serveOnMainThread(channel, message, new ManyAtOnce(around))
  else serveOnThreads(message, around)
}

/**
 * Lets writing wait while the gateway catches up. What a flood left in Node's own queue would otherwise stay there until
 * the next event: between two events the event loop stands still.
 */
function writeAtOnce(stream: NodeJS.WriteStream): void {
  const { _handle: handle } = stream as unknown as { _handle?: { setBlocking?(blocking: boolean): void } }
  handle?.setBlocking?.(true)
}

void main()
