import { DOTNET } from '../../dotnet-host.ts'
import type { Column } from '../column.ts'
import { column as mono } from './dotnet.ts'

/** The same assemblies on .NET itself. */
export const column: Column = {
  ...mono,
  runtime: 'dotnet6',
  host: '.NET',
  paths: { dotnet: ['none', DOTNET ?? '/usr/bin/dotnet'] },
  ...(DOTNET === undefined ? { skip: 'there is no dotnet on PATH' } : {})
}
