import { z } from 'zod'
import { type IamOperation, iamOperation } from './operation.ts'
import { pageOfAll } from './pages.ts'
import { Arn, Document, Flag, PageInput, VersionId } from './parameters.ts'
import { versionView } from './views.ts'

const ByArn = z.object({ PolicyArn: Arn })
const OneVersion = ByArn.extend({ VersionId })
const resource = ({ PolicyArn: arn }: { readonly PolicyArn: string }): string => arn

export const policyVersionOperations: readonly IamOperation[] = [
  iamOperation({
    name: 'CreatePolicyVersion',
    input: ByArn.extend({ PolicyDocument: Document, SetAsDefault: Flag.default(false) }),
    resource,
    run: ({ PolicyArn: arn, PolicyDocument, SetAsDefault }, { managed }) => ({
      PolicyVersion: versionView(managed.addVersion(arn, PolicyDocument, SetAsDefault), 'listed')
    })
  }),
  iamOperation({
    name: 'GetPolicyVersion',
    input: OneVersion,
    resource,
    run: ({ PolicyArn: arn, VersionId: id }, { managed }) => ({
      PolicyVersion: versionView(managed.getVersion(arn, id), 'whole')
    })
  }),
  iamOperation({
    name: 'ListPolicyVersions',
    input: ByArn.extend(PageInput),
    resource,
    run(input, { managed }) {
      const versions = managed.listVersions(input.PolicyArn)
      const { items, next } = pageOfAll('ListPolicyVersions', input, versions, ({ versionId }) => versionId)
      return { Versions: items.map((version) => versionView(version, 'listed')), ...next }
    }
  }),
  iamOperation({
    name: 'SetDefaultPolicyVersion',
    input: OneVersion,
    resource,
    run({ PolicyArn: arn, VersionId: id }, { managed }) {
      managed.setDefault(arn, id)
      return undefined
    }
  }),
  iamOperation({
    name: 'DeletePolicyVersion',
    input: OneVersion,
    resource,
    run({ PolicyArn: arn, VersionId: id }, { managed }) {
      managed.removeVersion(arn, id)
      return undefined
    }
  })
]
