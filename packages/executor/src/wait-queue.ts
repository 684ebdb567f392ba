import type { Flight } from './flight.ts'
import type { Invocation } from './types.ts'

/** Invocations that wait for an instance, oldest first; bounded in length and time. */
export interface WaitQueue {
  readonly length: number
  /** @returns false when the queue is full */
  push(flight: Flight): boolean
  /** Puts back what an instance did not take; it keeps its place before all that came later. */
  unshift(flight: Flight): void
  shift(): Flight | undefined
  /** @returns whether it was waiting */
  remove(invocation: Invocation): boolean
  clear(): readonly Flight[]
}

/**
 * @param capacity - Flights that may wait
 * @param waitMs - How long one may
 * @param onExpired - Called with each that waited too long
 */
export function createWaitQueue(capacity: number, waitMs: number, onExpired: (flight: Flight) => void): WaitQueue {
  // By head index, since shifting a long array would copy it. What is taken out is cleared: a finished invocation that
  // an old array still holds is copied by every garbage collection, and keeps its request alive.
  let items: (Flight | undefined)[] = []
  let head = 0
  let timer: NodeJS.Timeout | undefined

  const compact = () => {
    if (head > 1_024 && head * 2 > items.length) {
      items = items.slice(head)
      head = 0
    }
  }
  const arm = () => {
    if (timer !== undefined) return
    const first = items[head]
    if (first === undefined) return
    timer = setTimeout(expire, Math.max(1, first.arrivedAt + waitMs - performance.now()))
  }
  const expire = () => {
    timer = undefined
    const now = performance.now()
    for (let first = items[head]; first !== undefined && first.arrivedAt + waitMs <= now; first = items[head]) {
      items[head++] = undefined
      onExpired(first)
    }
    compact()
    arm()
  }

  return {
    get length() {
      return items.length - head
    },
    push(flight) {
      if (items.length - head >= capacity) return false
      items.push(flight)
      arm()
      return true
    },
    unshift(flight) {
      if (head > 0) items[--head] = flight
      else items.unshift(flight)
      arm()
    },
    shift() {
      const first = items[head]
      if (first === undefined) return undefined
      items[head++] = undefined
      if (head === items.length) {
        items = []
        head = 0
        clearTimeout(timer)
        timer = undefined
      } else compact()
      return first
    },
    remove(invocation) {
      for (let i = head; i < items.length; i++) {
        if (items[i]?.invocation === invocation) {
          items.splice(i, 1)
          return true
        }
      }
      return false
    },
    clear() {
      const rest = items.slice(head) as Flight[]
      items = []
      head = 0
      clearTimeout(timer)
      timer = undefined
      return rest
    }
  }
}
