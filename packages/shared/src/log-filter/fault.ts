import { HearthError } from '../errors.ts'

/** What is wrong with a filter pattern; the message is shown to whoever wrote it. */
export class FilterFault extends Error {
  override readonly name = 'FilterFault'
}

/** @throws HearthError INVALID_LOG_FILTER in place of a {@link FilterFault} */
export function refusingFaults<T>(read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    if (!(thrown instanceof FilterFault)) throw thrown
    throw new HearthError('INVALID_LOG_FILTER', thrown.message)
  }
}
