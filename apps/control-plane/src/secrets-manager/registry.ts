import type { JsonServiceDefinition } from '../json-protocol/registry.ts'
import type { SecretService } from '../secrets/secret-service.ts'
import { secretOperations } from './secret-operations.ts'
import { valueOperations } from './value-operations.ts'

const NO_POLICIES = 'policies of secrets are not kept; roles and users have the say'
const NO_ROTATION = 'secrets are not rotated by functions; put a new version'
const NO_REPLICAS = 'this server is one region'

/** Secrets Manager as AWS's clients know it. */
export const SECRETS_MANAGER = {
  name: 'secretsmanager',
  target: 'secretsmanager',
  operations: [...valueOperations, ...secretOperations],
  unserved: {
    PutResourcePolicy: NO_POLICIES,
    DeleteResourcePolicy: NO_POLICIES,
    ValidateResourcePolicy: NO_POLICIES,
    RotateSecret: NO_ROTATION,
    CancelRotateSecret: NO_ROTATION,
    ReplicateSecretToRegions: NO_REPLICAS,
    RemoveRegionsFromReplication: NO_REPLICAS,
    StopReplicationToReplica: NO_REPLICAS
  }
} as const satisfies JsonServiceDefinition<SecretService>
