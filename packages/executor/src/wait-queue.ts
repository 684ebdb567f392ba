import type { Invocation } from './types.ts'

/** What waits. `arrivedAt` is in `performance.now()` ms. */
export interface Waiting {
  readonly invocation: Invocation
  readonly arrivedAt: number
}

/** What waits for an instance or for its turn, oldest first; bounded in length and time. */
export interface WaitQueue<T extends Waiting> {
  readonly length: number
  /** @returns false when the queue is full */
  push(item: T): boolean
  /** Puts back what an instance did not take; it keeps its place before all that came later. */
  unshift(item: T): void
  shift(): T | undefined
  /** The first that matches; it goes on waiting. */
  find(matches: (item: T) => boolean): T | undefined
  /** @returns what was waiting for it */
  remove(invocation: Invocation): T | undefined
  clear(): readonly T[]
}

/**
 * @param capacity - How many may wait
 * @param waitMs - How long one may
 * @param onExpired - Called with each that waited too long
 */
export function createWaitQueue<T extends Waiting>(
  capacity: number,
  waitMs: number,
  onExpired: (item: T) => void
): WaitQueue<T> {
  // By head index, since shifting a long array would copy it. What is taken out is cleared: a finished invocation that
  // an old array still holds is copied by every garbage collection, and keeps its request alive.
  let items: (T | undefined)[] = []
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
    push(item) {
      if (items.length - head >= capacity) return false
      items.push(item)
      arm()
      return true
    },
    unshift(item) {
      if (head > 0) items[--head] = item
      else items.unshift(item)
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
    find(matches) {
      for (let i = head; i < items.length; i++) {
        const item = items[i]
        if (item !== undefined && matches(item)) return item
      }
      return undefined
    },
    remove(invocation) {
      for (let i = head; i < items.length; i++) {
        const item = items[i]
        if (item?.invocation !== invocation) continue
        items.splice(i, 1)
        return item
      }
      return undefined
    },
    clear() {
      const rest = items.slice(head) as T[]
      items = []
      head = 0
      clearTimeout(timer)
      timer = undefined
      return rest
    }
  }
}
