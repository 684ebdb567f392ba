import type { KeyRecord, RoleRecord, UserRecord } from '@hearth/store'
import type { Access } from '../access/access.ts'
import { statusOf } from '../access/keys.ts'
import type { ManagedPolicy, PolicyVersion } from '../access/managed-policies.ts'
import { type Tags, tagItems } from '../access/tags.ts'
import type { XmlValue } from '../query/xml.ts'

type Members = { readonly [name: string]: XmlValue }

/** What an answer shows of a role: ListRoles and CreateRole leave members out. @see reference: IAM §4.2 */
export function roleView(role: RoleRecord, { roles, managed }: Access, shown: 'created' | 'listed' | 'whole'): Members {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.roleId,
    Arn: roles.arnOf(role),
    CreateDate: dateView(role.createdAt),
    AssumeRolePolicyDocument: documentView(role.trust),
    Description: role.description,
    MaxSessionDuration: shown === 'created' ? undefined : role.maxSessionS,
    ...(shown === 'listed' ? {} : { ...boundaryView(role.boundary, managed), ...tagsView(role.tags) }),
    RoleLastUsed: shown === 'whole' ? lastUseView(role) : undefined
  }
}

function lastUseView({ lastUsed }: RoleRecord): Members {
  return lastUsed === undefined ? {} : { LastUsedDate: dateView(lastUsed.at), Region: lastUsed.region }
}

export function userView(user: UserRecord, { users, managed }: Access, shown: 'listed' | 'whole'): Members {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.userId,
    Arn: users.arnOf(user),
    CreateDate: dateView(user.createdAt),
    ...(shown === 'listed' ? {} : { ...boundaryView(user.boundary, managed), ...tagsView(user.tags) })
  }
}

export function policyView(policy: ManagedPolicy, shown: 'listed' | 'whole'): Members {
  return {
    PolicyName: policy.name,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.versionId,
    AttachmentCount: policy.attachments,
    PermissionsBoundaryUsageCount: policy.boundaries,
    IsAttachable: true,
    Description: shown === 'whole' ? policy.description : undefined,
    CreateDate: dateView(policy.createdAt),
    UpdateDate: dateView(policy.updatedAt),
    ...(shown === 'whole' ? tagsView(policy.tags) : {})
  }
}

export function versionView(version: PolicyVersion, shown: 'listed' | 'whole'): Members {
  return {
    Document: shown === 'whole' ? documentView(version.document) : undefined,
    VersionId: version.versionId,
    IsDefaultVersion: version.isDefault,
    CreateDate: dateView(version.createdAt)
  }
}

export function keyView(key: KeyRecord, now: Date): Members {
  return {
    UserName: key.userName,
    AccessKeyId: key.accessKeyId,
    Status: statusOf(key, now),
    CreateDate: dateView(key.createdAt)
  }
}

/** RFC 3986: what clients decode and parse. */
export function documentView(document: string): string {
  return encodeURIComponent(document).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** To the second. */
export function dateView(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z')
}

function tagsView(tags: Tags): Members {
  return Object.keys(tags).length === 0 ? {} : { Tags: tagItems(tags) }
}

function boundaryView(boundary: string | undefined, managed: Access['managed']): Members {
  if (boundary === undefined) return {}
  return {
    PermissionsBoundary: { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: managed.arnOf(boundary) }
  }
}
