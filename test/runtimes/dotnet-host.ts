import { existsSync } from 'node:fs'
import path from 'node:path'

/** The `dotnet` of this machine, where it has one. */
export const DOTNET = (process.env['PATH'] ?? '')
  .split(':')
  .map((folder) => path.join(folder, 'dotnet'))
  .find((file) => existsSync(file))
