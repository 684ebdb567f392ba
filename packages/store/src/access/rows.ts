import type { PolicyRecord, RoleRecord, UserRecord } from './types.ts'

export interface UserRow {
  name: string
  path: string
  user_id: string
  tags: string
  boundary: string | null
  created_at: string
}

export interface RoleRow {
  name: string
  path: string
  role_id: string
  trust: string
  description: string | null
  max_session_s: number
  tags: string
  boundary: string | null
  sessions_from: string
  created_at: string
  last_used_at: string | null
  last_used_region: string | null
}

export interface PolicyRow {
  name: string
  path: string
  policy_id: string
  description: string | null
  default_version: number
  tags: string
  created_at: string
  updated_at: string
}

export function tagsOf(row: { readonly tags: string }): Readonly<Record<string, string>> {
  return JSON.parse(row.tags) as Record<string, string>
}

export function toUser(row: UserRow): UserRecord {
  return {
    name: row.name,
    path: row.path,
    userId: row.user_id,
    tags: tagsOf(row),
    boundary: row.boundary ?? undefined,
    createdAt: row.created_at
  }
}

export function fromUser(user: UserRecord): UserRow {
  return {
    name: user.name,
    path: user.path,
    user_id: user.userId,
    tags: JSON.stringify(user.tags),
    boundary: user.boundary ?? null,
    created_at: user.createdAt
  }
}

export function toRole(row: RoleRow): RoleRecord {
  return {
    name: row.name,
    path: row.path,
    roleId: row.role_id,
    trust: row.trust,
    description: row.description ?? undefined,
    maxSessionS: row.max_session_s,
    tags: tagsOf(row),
    boundary: row.boundary ?? undefined,
    sessionsFrom: row.sessions_from,
    createdAt: row.created_at,
    lastUsed: row.last_used_at === null ? undefined : { at: row.last_used_at, region: row.last_used_region ?? '' }
  }
}

export function fromRole(role: RoleRecord): RoleRow {
  return {
    name: role.name,
    path: role.path,
    role_id: role.roleId,
    trust: role.trust,
    description: role.description ?? null,
    max_session_s: role.maxSessionS,
    tags: JSON.stringify(role.tags),
    boundary: role.boundary ?? null,
    sessions_from: role.sessionsFrom,
    created_at: role.createdAt,
    last_used_at: role.lastUsed?.at ?? null,
    last_used_region: role.lastUsed?.region ?? null
  }
}

export function toPolicy(row: PolicyRow): PolicyRecord {
  return {
    name: row.name,
    path: row.path,
    policyId: row.policy_id,
    description: row.description ?? undefined,
    defaultVersion: row.default_version,
    tags: tagsOf(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at
  }
}
