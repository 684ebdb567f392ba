/**
 * `booting` until the runtime is up, `initializing` while the function's init code runs, `idle` and `busy` in
 * turns, `stopping` once its end is decided (it takes no more events), `dead` when no process of it is left.
 */
export type InstanceState = 'booting' | 'initializing' | 'idle' | 'busy' | 'stopping' | 'dead'
export type InstanceEvent = 'booted' | 'initialized' | 'acquire' | 'release' | 'stop' | 'exit'

/**
 * `stopping` and `dead` absorb late events on purpose: the end of an instance and the release of its last
 * invocation race, and neither order is a bug.
 */
const TRANSITIONS: Record<InstanceState, Partial<Record<InstanceEvent, InstanceState>>> = {
  booting: { booted: 'initializing', stop: 'stopping', exit: 'dead' },
  initializing: { initialized: 'idle', stop: 'stopping', exit: 'dead' },
  idle: { acquire: 'busy', stop: 'stopping', exit: 'dead' },
  busy: { acquire: 'busy', release: 'idle', stop: 'stopping', exit: 'dead' },
  stopping: { booted: 'stopping', initialized: 'stopping', release: 'stopping', stop: 'stopping', exit: 'dead' },
  dead: { booted: 'dead', initialized: 'dead', release: 'dead', stop: 'dead', exit: 'dead' }
}

/** @throws Error if `event` cannot happen in `state`: a bug in the pool, not a condition to handle. */
export function next(state: InstanceState, event: InstanceEvent): InstanceState {
  const to = TRANSITIONS[state][event]
  if (to === undefined) throw new Error(`instance cannot ${event} while ${state}`)
  return to
}
