import { ALIAS_NAME, LIMITS } from '@hearth/shared'
import { z } from 'zod'
import { HANDLER, ROLE_ARN, TAG, VARIABLE_NAME } from '../functions/function-settings.ts'

// Lengths, patterns and enumerations of the service model (2026); where the service itself allows less than its model
// (memory, timeout, /tmp of functions that are not on managed instances), the service's limit stands here.

const REGION = '(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}'
const SIGNING_CONFIG = `arn:(aws[a-zA-Z-]*)?:lambda:${REGION}:\\d{12}:code-signing-config:csc-[a-z0-9]{17}`
const MAPPING_ID = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}'

/** The model's patterns are of the whole text. */
const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`)

/** Of a statement in a resource policy. */
export const StatementId = z
  .string()
  .min(1)
  .max(100)
  .regex(/^([a-zA-Z0-9-_]+)$/)

const Role = z.string().regex(ROLE_ARN)
const Tags = z.record(z.string().min(1).max(128).regex(TAG), z.string().max(256).regex(TAG))
const CodeSigningConfigArn = z.string().max(200).regex(whole(SIGNING_CONFIG))

/** Members that CreateFunction and UpdateFunctionConfiguration share and that Hearth keeps. */
const kept = {
  Role: Role.nullish(),
  Handler: z.string().max(LIMITS.handlerChars).regex(HANDLER).nullish(),
  Description: z.string().max(LIMITS.descriptionChars).nullish(),
  Timeout: z.number().int().min(LIMITS.timeoutS.min).max(LIMITS.timeoutS.max).nullish(),
  MemorySize: z.number().int().min(LIMITS.memoryMiB.min).max(LIMITS.memoryMiB.max).nullish(),
  Runtime: z.string().nullish(),
  Environment: z.object({ Variables: z.record(z.string().regex(VARIABLE_NAME), z.string()).nullish() }).nullish(),
  SnapStart: z.object({ ApplyOn: z.enum(['PublishedVersions', 'None']).nullish() }).nullish(),
  EphemeralStorage: z
    .object({ Size: z.number().int().min(LIMITS.ephemeralMiB.min).max(LIMITS.ephemeralMiB.max) })
    .nullish(),
  TracingConfig: z.object({ Mode: z.enum(['Active', 'PassThrough']).nullish() }).nullish(),
  DeadLetterConfig: z
    .object({
      TargetArn: z
        .string()
        .regex(/^(?:(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|())$/)
        .nullish()
    })
    .nullish(),
  LoggingConfig: z
    .object({
      LogFormat: z.enum(['JSON', 'Text']).nullish(),
      ApplicationLogLevel: z.enum(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']).nullish(),
      SystemLogLevel: z.enum(['DEBUG', 'INFO', 'WARN']).nullish(),
      LogGroup: z
        .string()
        .min(1)
        .max(512)
        .regex(/^[.\-_/#A-Za-z0-9]+$/)
        .nullish()
    })
    .nullish()
}

/** Members of the same two that are taken only in the form that changes nothing; see refuseUnsupported. */
const unsupported = {
  VpcConfig: z
    .object({
      SubnetIds: z.array(z.string()).max(16).nullish(),
      SecurityGroupIds: z.array(z.string()).max(5).nullish(),
      Ipv6AllowedForDualStack: z.boolean().nullish()
    })
    .nullish(),
  KMSKeyArn: z
    .string()
    .regex(/^(?:(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|())$/)
    .nullish(),
  Layers: z.array(z.string()).nullish(),
  FileSystemConfigs: z.array(z.unknown()).max(1).nullish(),
  ImageConfig: z.record(z.string(), z.unknown()).nullish(),
  TenancyConfig: z.unknown().optional(),
  CapacityProviderConfig: z.unknown().optional(),
  DurableConfig: z.unknown().optional()
}

const Architectures = z
  .array(z.enum(['x86_64', 'arm64']))
  .min(1)
  .max(1)

export const Code = z.object({
  ZipFile: z.string().nullish(),
  S3Bucket: z
    .string()
    .min(3)
    .max(63)
    .regex(/^[0-9A-Za-z.\-_]*(?<!\.)$/)
    .nullish(),
  S3Key: z.string().min(1).max(1_024).nullish(),
  S3ObjectVersion: z.string().min(1).max(1_024).nullish(),
  S3ObjectStorageMode: z.enum(['COPY', 'REFERENCE']).nullish(),
  ImageUri: z.string().nullish(),
  SourceKMSKeyArn: z.string().nullish()
})
export type Code = z.infer<typeof Code>

export const Configuration = z.object({ ...kept, ...unsupported })
export type Configuration = z.infer<typeof Configuration>

export const CreateFunctionRequest = z.object({
  ...kept,
  ...unsupported,
  FunctionName: z.string(),
  Role,
  Code,
  PackageType: z.enum(['Zip', 'Image']).nullish(),
  Publish: z.boolean().nullish(),
  PublishTo: z.unknown().optional(),
  Architectures: Architectures.nullish(),
  CodeSigningConfigArn: CodeSigningConfigArn.nullish(),
  Tags: Tags.nullish()
})

export const UpdateFunctionConfigurationRequest = Configuration.extend({ RevisionId: z.string().nullish() })

export const UpdateFunctionCodeRequest = Code.extend({
  Architectures: Architectures.nullish(),
  Publish: z.boolean().nullish(),
  PublishTo: z.unknown().optional(),
  DryRun: z.boolean().nullish(),
  RevisionId: z.string().nullish()
})

const page = { Marker: z.string().max(512).optional(), MaxItems: z.number().int().min(1).max(10_000).optional() }

export const ListFunctionsRequest = z.object({
  MasterRegion: z.string().optional(),
  FunctionVersion: z.enum(['ALL']).optional(),
  ...page
})

export const PublishVersionRequest = z.object({
  CodeSha256: z.string().nullish(),
  Description: z.string().max(LIMITS.descriptionChars).nullish(),
  RevisionId: z.string().nullish(),
  PublishTo: z.unknown().optional()
})

export const ListVersionsByFunctionRequest = z.object(page)

/** Type VersionWithLatestPublished. `$LATEST.PUBLISHED` is of managed instances: it passes here and is found nowhere. */
const Version = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^(?:(\$LATEST(\.PUBLISHED)?|[0-9]+))$/)
const AliasName = z.string().min(1).max(128).regex(ALIAS_NAME)
// What is in the map is checked by hand: AWS's messages show the whole of it.
const RoutingConfig = z.object({ AdditionalVersionWeights: z.record(z.string(), z.number()).nullish() }).nullish()
export type AliasRouting = z.infer<typeof RoutingConfig>

export const AliasNameParameter = z.object({ Name: AliasName })

export const CreateAliasRequest = z.object({
  Name: AliasName,
  FunctionVersion: Version,
  Description: z.string().max(LIMITS.descriptionChars).nullish(),
  RoutingConfig
})

export const UpdateAliasRequest = z.object({
  FunctionVersion: Version.nullish(),
  Description: z.string().max(LIMITS.descriptionChars).nullish(),
  RoutingConfig,
  RevisionId: z.string().nullish()
})

export const ListAliasesRequest = z.object({ FunctionVersion: Version.optional(), ...page })

export const ListRequest = z.object(page)

export const UnqualifiedFunctionName = z.object({
  FunctionName: z
    .string()
    .max(140)
    .regex(whole(`(arn:(aws[a-zA-Z-]*)?:lambda:)?(${REGION}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)`))
})

export const TaggedRequest = z.object({
  Resource: z
    .string()
    .regex(
      whole(
        `arn:(aws[a-zA-Z-]*):lambda:${REGION}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:${MAPPING_ID}|(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})`
      )
    )
})
export const TagResourceRequest = z.object({ Tags })
export const UntagResourceRequest = z.object({ TagKeys: z.array(z.string().min(1).max(128).regex(TAG)) })

export const PutFunctionConcurrencyRequest = z.object({ ReservedConcurrentExecutions: z.number().int().min(0) })

export const PutProvisionedConcurrencyConfigRequest = z.object({
  ProvisionedConcurrentExecutions: z.number().int().min(1)
})

export const ListProvisionedConcurrencyConfigsRequest = z.object({
  Marker: z.string().optional(),
  MaxItems: z.number().int().min(1).max(50).optional()
})

export const PutFunctionRecursionConfigRequest = z.object({ RecursiveLoop: z.enum(['Allow', 'Terminate']) })

export const PutRuntimeManagementConfigRequest = z.object({
  UpdateRuntimeOn: z.enum(['Auto', 'Manual', 'FunctionUpdate']),
  RuntimeVersionArn: z
    .string()
    .min(26)
    .max(2_048)
    .regex(whole(`arn:(aws[a-zA-Z-]*):lambda:${REGION}::runtime:.+`))
    .nullish()
})

const AllowedPublishers = z.object({
  SigningProfileVersionArns: z
    .array(z.string().regex(whole(`arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:(${REGION})?:(\\d{12})?:(.*)`)))
    .min(1)
    .max(20)
})
const CodeSigningPolicies = z.object({ UntrustedArtifactOnDeployment: z.enum(['Warn', 'Enforce']).nullish() })

export const CreateCodeSigningConfigRequest = z.object({
  Description: z.string().max(LIMITS.descriptionChars).nullish(),
  AllowedPublishers,
  CodeSigningPolicies: CodeSigningPolicies.nullish(),
  Tags: Tags.nullish()
})
export const UpdateCodeSigningConfigRequest = z.object({
  Description: z.string().max(LIMITS.descriptionChars).nullish(),
  AllowedPublishers: AllowedPublishers.nullish(),
  CodeSigningPolicies: CodeSigningPolicies.nullish()
})
export const CodeSigningConfigRequest = z.object({ CodeSigningConfigArn })
