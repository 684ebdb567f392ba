import { FLAG_HAS_EXTERNAL, FLAG_WANTS_SHUTDOWN } from './protocol.ts'

/** Why an instance ends. */
export type ExitReason = 'idle' | 'retired' | 'crash' | 'oom' | 'timeout' | 'init' | 'protocol' | 'evicted' | 'shutdown'

/** What extensions get to end in order, as on Lambda: those inside the runtime, and programs beside it. */
const INTERNAL_SHUTDOWN_MS = 500
export const SHUTDOWN_MS = 2_000

/** Ends that extensions are told of, and Lambda's word for each. A crash or an empty memory leaves nobody to tell. */
export const FAREWELLS: Partial<Record<ExitReason, 'spindown' | 'timeout'>> = {
  idle: 'spindown',
  retired: 'spindown',
  evicted: 'spindown',
  shutdown: 'spindown',
  timeout: 'timeout'
}

/** What extensions get before the end. @param flags - Of INIT_OK @returns 0: there are none */
export function shutdownMs(flags: number): number {
  if ((flags & FLAG_WANTS_SHUTDOWN) === 0) return 0
  return (flags & FLAG_HAS_EXTERNAL) === 0 ? INTERNAL_SHUTDOWN_MS : SHUTDOWN_MS
}
