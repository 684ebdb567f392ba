/** A function as the whole of Hearth sees it: what the store keeps and what the gateway runs. */
export interface FunctionRecord {
  /** Bare name, 1–64 of `[a-zA-Z0-9-_]`. */
  readonly name: string
  /** `$LATEST`, or a published number as text. */
  readonly version: string
  /** AWS's identifier, e.g. `nodejs20.x`. */
  readonly runtime: string
  readonly handler: string
  /** ARN of the execution role. */
  readonly role: string
  readonly description: string
  readonly memoryMiB: number
  readonly timeoutS: number
  /** Size of /tmp. */
  readonly ephemeralMiB: number
  /** Undefined when it was never sent: AWS then leaves `Environment` out of its answers. */
  readonly environment: Readonly<Record<string, string>> | undefined
  /** Undefined: the server's default policy. */
  readonly network: NetworkPolicy | undefined
  /** Events at once in one instance; 1 is Lambda's classic. */
  readonly concurrency: number
  /** Events of all versions together at once, kept free for them; 0: switched off. Undefined: what nobody has reserved. */
  readonly reservedConcurrency: number | undefined
  /** Undefined: the server's default backend. */
  readonly instances: InstanceBackend | undefined
  /** Whether the function's URL sends the answer as it comes. */
  readonly invokeMode: InvokeMode
  readonly architecture: 'x86_64' | 'arm64'
  readonly tags: Readonly<Record<string, string>>
  readonly tracing: 'PassThrough' | 'Active'
  readonly logging: LoggingConfig
  /** Kept and shown; instances are pre-started whatever it says, and no snapshot is ever taken. */
  readonly snapStart: 'None' | 'PublishedVersions'
  /** ARN of where events go that could not be run; undefined: nowhere. */
  readonly deadLetterTarget?: string | undefined
  /** Absent: no layers. */
  readonly layers?: FunctionLayers | undefined
  /** Hex sha256 of the package as uploaded: the artifact's name in the artifact store. */
  readonly artifact: string
  /** Base64 of the same digest, as AWS prints it. */
  readonly codeSha256: string
  /** Bytes of the package as uploaded. */
  readonly codeSize: number
  /** UUID, new on every change. */
  readonly revisionId: string
  readonly state: 'Pending' | 'Active' | 'Failed'
  readonly lastUpdateStatus: 'Successful' | 'InProgress' | 'Failed' | undefined
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** ISO 8601, UTC. */
  readonly lastModified: string
}

/** The layers of a function, as they were when they were chosen: they may be deleted since. */
export interface FunctionLayers {
  /** In the order of the function's list: later ones overwrite. */
  readonly versions: readonly {
    readonly arn: string
    /** Bytes of the package as uploaded. */
    readonly codeSize: number
  }[]
  /** Bytes of all of them unpacked, counted as AWS does: without regard to what overwrites what. */
  readonly unzippedSize: number
  /** Hex digest: name of the unpacked tree that is shown at /opt. */
  readonly tree: string
  /** Whether the tree brings extensions, which run beside the runtime. */
  readonly extensions: boolean
}

/** `none`: no network at all. `internet`: public addresses only, never this host or its private networks. */
export type NetworkPolicy = 'none' | 'internet'

/** Lambda's words for it: the answer as a whole, or as it comes. */
export type InvokeMode = 'BUFFERED' | 'RESPONSE_STREAM'

/** `process`: one process, one event at a time. `threads`: an instance that serves several events at once. */
export type InstanceBackend = 'process' | 'threads'

export interface LoggingConfig {
  readonly format: 'Text' | 'JSON'
  readonly applicationLevel?: LogLevel
  readonly systemLevel?: 'DEBUG' | 'INFO' | 'WARN'
  readonly logGroup: string
}

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'
