import type { Attack } from '../attack.ts'
import { CHANNEL } from './channel.ts'
import { EXHAUSTION } from './exhaustion.ts'
import { FILES } from './files.ts'
import { HANDLERS_AND_ARCHIVES } from './handlers.ts'
import { NEIGHBOURS } from './neighbours.ts'
import { NETWORK } from './network.ts'
import { PRIVILEGES } from './privileges.ts'
import { PROCESSES } from './processes.ts'

export const ATTACKS: readonly Attack[] = [
  ...FILES,
  ...PROCESSES,
  ...PRIVILEGES,
  ...NETWORK,
  ...NEIGHBOURS,
  ...CHANNEL,
  ...HANDLERS_AND_ARCHIVES,
  ...EXHAUSTION
]
