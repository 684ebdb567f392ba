import { LIMITS } from '@hearth/shared'
import { z } from 'zod'
import { HANDLER, ROLE_ARN, VARIABLE_NAME } from '../functions/function-settings.ts'

// Lengths, patterns and enumerations of the service model (2026); where the service itself allows less than its model
// (memory, timeout, /tmp of functions that are not on managed instances), the service's limit stands here.

const Role = z.string().regex(ROLE_ARN)
const TAG = /^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$/u

/** Members that CreateFunction and UpdateFunctionConfiguration share and that Hearth keeps. */
const kept = {
  Role: Role.nullish(),
  Handler: z.string().max(LIMITS.handlerChars).regex(HANDLER).nullish(),
  Description: z.string().max(LIMITS.descriptionChars).nullish(),
  Timeout: z.number().int().min(LIMITS.timeoutS.min).max(LIMITS.timeoutS.max).nullish(),
  MemorySize: z.number().int().min(LIMITS.memoryMiB.min).max(LIMITS.memoryMiB.max).nullish(),
  Runtime: z.string().nullish(),
  Environment: z.object({ Variables: z.record(z.string().regex(VARIABLE_NAME), z.string()).nullish() }).nullish(),
  EphemeralStorage: z
    .object({ Size: z.number().int().min(LIMITS.ephemeralMiB.min).max(LIMITS.ephemeralMiB.max) })
    .nullish(),
  TracingConfig: z.object({ Mode: z.enum(['Active', 'PassThrough']).nullish() }).nullish(),
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
      SecurityGroupIds: z.array(z.string()).max(5).nullish()
    })
    .nullish(),
  DeadLetterConfig: z.object({ TargetArn: z.string().nullish() }).nullish(),
  KMSKeyArn: z.string().nullish(),
  Layers: z.array(z.string()).nullish(),
  FileSystemConfigs: z.array(z.unknown()).max(1).nullish(),
  ImageConfig: z.record(z.string(), z.unknown()).nullish(),
  SnapStart: z.object({ ApplyOn: z.enum(['PublishedVersions', 'None']).nullish() }).nullish(),
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
  CodeSigningConfigArn: z.string().nullish(),
  Tags: z.record(z.string().min(1).max(128).regex(TAG), z.string().max(256).regex(TAG)).nullish()
})

export const UpdateFunctionConfigurationRequest = Configuration.extend({ RevisionId: z.string().nullish() })

export const UpdateFunctionCodeRequest = Code.extend({
  Architectures: Architectures.nullish(),
  Publish: z.boolean().nullish(),
  PublishTo: z.unknown().optional(),
  DryRun: z.boolean().nullish(),
  RevisionId: z.string().nullish()
})

export const ListFunctionsRequest = z.object({
  MasterRegion: z.string().optional(),
  FunctionVersion: z.enum(['ALL']).optional(),
  Marker: z.string().max(512).optional(),
  MaxItems: z.number().int().min(1).max(10_000).optional()
})
