import { HearthError } from '@hearth/shared'

/** A runtime that this server can run. */
export interface RuntimeInfo {
  /** AWS's identifier. */
  readonly id: string
  /** What runs it, for people: `Node.js 20.20.2`. */
  readonly interpreter: string
  /** Whether the interpreter has the version that the identifier promises. */
  readonly exact: boolean
}

/** What AWS lets one create functions with. Source: Lambda service model, type Runtime, without deprecated ones. */
const AWS_RUNTIMES: readonly string[] = [
  'nodejs20.x',
  'nodejs22.x',
  'nodejs24.x',
  'nodejs26.x',
  'python3.9',
  'python3.10',
  'python3.11',
  'python3.12',
  'python3.13',
  'python3.14',
  'python3.15',
  'java8.al2',
  'java8.al2023',
  'java11',
  'java11.al2023',
  'java17',
  'java17.al2023',
  'java21',
  'java25',
  'dotnet8',
  'dotnet10',
  'ruby3.2',
  'ruby3.3',
  'ruby3.4',
  'ruby4.0',
  'provided.al2',
  'provided.al2023'
]

const DEPRECATED: readonly string[] = [
  'nodejs',
  'nodejs4.3',
  'nodejs4.3-edge',
  'nodejs6.10',
  'nodejs8.10',
  'nodejs10.x',
  'nodejs12.x',
  'nodejs14.x',
  'nodejs16.x',
  'nodejs18.x',
  'java8',
  'python2.7',
  'python3.6',
  'python3.7',
  'python3.8',
  'dotnetcore1.0',
  'dotnetcore2.0',
  'dotnetcore2.1',
  'dotnetcore3.1',
  'dotnet6',
  'go1.x',
  'ruby2.5',
  'ruby2.7',
  'provided'
]

const NODE_RUNTIMES = ['nodejs20.x', 'nodejs22.x', 'nodejs24.x']

/** Node runtimes, all served by the server's own Node; newest first that it fits exactly. */
export function nodeRuntimes(nodeVersion: string): readonly RuntimeInfo[] {
  const major = Number.parseInt(nodeVersion, 10)
  return NODE_RUNTIMES.map((id) => ({ id, interpreter: `Node.js ${nodeVersion}`, exact: id === `nodejs${major}.x` }))
}

/** The runtime of functions that name none: the one that is what it says, or else the newest. */
export function defaultRuntime(runtimes: readonly RuntimeInfo[]): string {
  return (runtimes.find((runtime) => runtime.exact) ?? runtimes.at(-1))?.id ?? 'nodejs20.x'
}

/**
 * @returns what the caller ought to know about the choice, or undefined
 * @throws HearthError INVALID_REQUEST for what no Lambda has, UNSUPPORTED_RUNTIME for what this server can't run
 */
export function checkRuntime(id: string, runtimes: readonly RuntimeInfo[]): string | undefined {
  const runtime = runtimes.find((candidate) => candidate.id === id)
  if (runtime !== undefined) {
    return runtime.exact ? undefined : `${id} is served by ${runtime.interpreter}, which is another major version.`
  }
  if (DEPRECATED.includes(id)) {
    throw new HearthError(
      'UNSUPPORTED_RUNTIME',
      `The runtime parameter of ${id} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`
    )
  }
  if (AWS_RUNTIMES.includes(id)) {
    const available = runtimes.map((candidate) => candidate.id).join(', ')
    throw new HearthError('UNSUPPORTED_RUNTIME', `This server has no interpreter for ${id}. It runs: ${available}.`)
  }
  throw new HearthError(
    'INVALID_REQUEST',
    `Value ${id} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${AWS_RUNTIMES.join(', ')}] or be a valid ARN`
  )
}
