import type { ArnScope, FunctionRecord } from '@hearth/shared'
import type { ArtifactStore } from '@hearth/store'
import type { CodeLinks } from '../code-links.ts'
import type { AccountSettings } from '../functions/account.ts'
import type { AliasService } from '../functions/alias-service.ts'
import type { CodeSigning } from '../functions/code-signing.ts'
import type { ConcurrencyService } from '../functions/concurrency-service.ts'
import type { EventInvokeService } from '../functions/event-invoke-service.ts'
import type { FunctionOptions } from '../functions/function-options.ts'
import type { FunctionService } from '../functions/function-service.ts'
import type { FunctionTags } from '../functions/function-tags.ts'
import type { PermissionService } from '../functions/permission-service.ts'
import type { Runtimes } from '../functions/runtimes.ts'
import type { VersionService } from '../functions/version-service.ts'
import type { LayerAttachments } from '../layers/layer-attachments.ts'
import type { LayerService } from '../layers/layer-service.ts'
import type { Metrics } from '../metrics.ts'
import type { PackageStore } from '../packages/package-store.ts'
import type { S3Source } from '../packages/s3-source.ts'
import type { UrlService } from '../urls/url-service.ts'

/** What operations work with. */
export interface LambdaApiDeps {
  readonly urls: UrlService
  /** Function URLs are `<id>.` before this name. */
  readonly urlDomain: string
  readonly service: FunctionService
  readonly versions: VersionService
  readonly aliases: AliasService
  readonly permissions: PermissionService
  readonly eventInvoke: EventInvokeService
  readonly tags: FunctionTags
  readonly options: FunctionOptions
  readonly codeSigning: CodeSigning
  readonly concurrency: ConcurrencyService
  readonly account: () => AccountSettings
  readonly packages: PackageStore
  readonly artifacts: ArtifactStore
  readonly layers: LayerService
  readonly attachments: LayerAttachments
  readonly s3: S3Source
  readonly runtimes: Runtimes
  readonly links: CodeLinks
  readonly scope: ArnScope
  /** Of this machine. */
  readonly architecture: FunctionRecord['architecture']
  readonly metrics: Metrics
}

/** A call as an operation sees it. */
export interface OperationCall {
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The body's JSON; `{}` when there is none. */
  readonly body: Readonly<Record<string, unknown>>
  /** Scheme and authority that the client used. */
  readonly origin: string
  /** ARN of who calls. */
  readonly caller: string
}

export interface OperationAnswer {
  readonly status: number
  /** Undefined: no body. */
  readonly body?: object
}

/** One operation of the Lambda API: a file each, mounted by the registry. */
export interface Operation {
  /** AWS's name. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With `:param` for what varies. */
  readonly path: string
  /** Bytes; absent: small JSON. */
  readonly bodyLimit?: number
  /** What of it is otherwise than on AWS, for docs/aws-compatibility.md: sentences without the last full stop. */
  readonly note?: string
  /** Whether a call counts as a deployment. */
  readonly deploys?: boolean
  run(call: OperationCall, deps: LambdaApiDeps): Promise<OperationAnswer> | OperationAnswer
}
