import { REFUSED_MEMBERS } from './unsupported-members.ts'

/** What becomes of a member of a request. */
export interface MemberSupport {
  /** works: as on AWS. shown: kept and answered, without effect. refused: by name, unless it is empty. */
  readonly status: 'works' | 'partly' | 'shown' | 'refused'
  readonly note?: string
}

const WORKS: MemberSupport = { status: 'works' }

/** Members of CreateFunction, UpdateFunctionConfiguration and UpdateFunctionCode, for docs/aws-compatibility.md. */
export const MEMBERS: Readonly<Record<string, MemberSupport>> = {
  FunctionName: WORKS,
  Runtime: { status: 'partly', note: 'Those that GET /v1/runtimes lists; the nearest installed version serves' },
  Role: { status: 'shown', note: 'Credentials for it are not there yet' },
  Handler: WORKS,
  Code: WORKS,
  ZipFile: WORKS,
  S3Bucket: { status: 'partly', note: 'From the store that HEARTH_S3_ENDPOINT names' },
  S3Key: { status: 'partly', note: 'As `S3Bucket`' },
  S3ObjectVersion: { status: 'partly', note: 'As `S3Bucket`' },
  S3ObjectStorageMode: { status: 'partly', note: '`COPY`' },
  ImageUri: { status: 'refused', note: 'container images are not supported' },
  SourceKMSKeyArn: { status: 'refused', note: "packages are kept under this server's own protection" },
  PackageType: { status: 'partly', note: '`Zip`; container images are not supported' },
  Publish: WORKS,
  DryRun: WORKS,
  PublishTo: { status: 'refused', note: 'there are no managed instances' },
  RevisionId: WORKS,
  Description: WORKS,
  Timeout: { status: 'works', note: '1 to 900 seconds' },
  MemorySize: { status: 'works', note: '128 to 10240 MB' },
  Environment: { status: 'works', note: 'At most 4 KB in all; encrypted at rest' },
  EphemeralStorage: { status: 'works', note: '512 to 10240 MB' },
  Tags: WORKS,
  Layers: WORKS,
  Architectures: { status: 'partly', note: "This machine's own" },
  LoggingConfig: WORKS,
  TracingConfig: { status: 'shown', note: 'Calls are traced as HEARTH_TRACE_SAMPLE says, in either mode' },
  DeadLetterConfig: {
    status: 'partly',
    note: '`TargetArn` may be a function, which gets the event; queues and topics are not available yet'
  },
  SnapStart: {
    status: 'shown',
    note: 'Instances of every version are pre-started; no snapshot is taken, `OptimizationStatus` stays `Off`, and restore hooks are not called, as for `$LATEST` on AWS'
  },
  CodeSigningConfigArn: { status: 'partly', note: 'See CreateCodeSigningConfig' },
  ...Object.fromEntries(
    Object.entries(REFUSED_MEMBERS).map(([member, note]) => [member, { status: 'refused', note } as const])
  )
}
