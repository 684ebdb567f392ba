import type { Platform } from '@hearth/executor'
import type { FunctionDoors } from './function-doors.ts'
import type { RolePasses } from './role-passes.ts'

/** The platform as instances are given it. The executor is there before what answers them is. */
export interface FunctionPlatform extends Platform {
  /** From now on instances can be started. */
  open(passes: RolePasses, doors: FunctionDoors): void
}

export function createFunctionPlatform(): FunctionPlatform {
  let opened: { readonly passes: RolePasses; readonly doors: FunctionDoors } | undefined
  return {
    open(passes, doors) {
      opened = { passes, doors }
    },
    pass({ name, role }) {
      if (opened === undefined) throw new Error('The server is starting.')
      if (role === undefined) throw new Error(`The function ${name} has no role.`)
      return opened.passes.passFor(name, role)
    },
    answer({ name }, door, reopen) {
      opened?.doors.answer(name, door, reopen)
    }
  }
}
