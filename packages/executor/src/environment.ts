import { DOOR_PORT } from '@hearth/sandbox'
import type { Pass } from './platform.ts'
import type { FunctionSpec } from './types.ts'

/** Whether an instance was initialised for an event that waited, or ahead. */
export type InitializationType = 'on-demand' | 'provisioned-concurrency'

/**
 * What a function finds in its environment: its own variables, then Lambda's, which win where names collide.
 * @param runtimeEnv - What the runtime adds (NODE_PATH and the like); undefined takes a variable away
 * @param logStream - Name of this instance's log stream
 * @param pass - What it acts as its role with; undefined: it reaches no platform
 * @see reference: Runtime behaviour §2 (as observed on AWS) and its order of priority
 */
export function functionEnvironment(
  spec: FunctionSpec,
  runtimeEnv: Readonly<Record<string, string | undefined>>,
  logStream: string,
  initializationType: InitializationType = 'on-demand',
  pass?: Pass
): Record<string, string> {
  const environment = {
    // What a function may override.
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    LD_LIBRARY_PATH: '/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib',
    HOME: '/tmp',
    ...(pass === undefined ? {} : { AWS_ENDPOINT_URL: `http://127.0.0.1:${DOOR_PORT}` }),
    ...runtimeEnv,
    ...spec.environment,
    // What it may not.
    ...(pass === undefined ? {} : credentials(pass)),
    _HANDLER: spec.handler,
    AWS_REGION: spec.region,
    AWS_DEFAULT_REGION: spec.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${spec.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_VERSION: spec.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMiB),
    AWS_LAMBDA_INITIALIZATION_TYPE: initializationType,
    AWS_LAMBDA_LOG_GROUP_NAME: spec.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    ...(spec.logFormat === 'JSON' ? { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: spec.logLevel } : {}),
    LAMBDA_TASK_ROOT: '/var/task',
    LAMBDA_RUNTIME_DIR: '/var/runtime'
  }
  const taken = Object.keys(runtimeEnv).filter((name) => runtimeEnv[name] === undefined)
  const isThere = ([name, value]: [string, string | undefined]) => value !== undefined && !taken.includes(name)
  return Object.fromEntries(Object.entries(environment).filter(isThere))
}

function credentials({ accessKeyId, secretAccessKey, sessionToken }: Pass): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken
  }
}

/** `YYYY/MM/DD/[version]id`, as CloudWatch names the stream of one environment. */
export function logStreamName(version: string, instanceId: string, at: Date): string {
  return `${at.toISOString().slice(0, 10).replaceAll('-', '/')}/[${version}]${instanceId}`
}
