/** Where a route checks by itself, because the action depends on what is there. */
export const IN_ROUTE = Symbol('checked by the route')

/**
 * What a caller must be allowed for each route of `/v1`, by its operation id: the action of the AWS operation that does
 * the same, or one of Hearth's own. A route that is neither here nor open to everybody cannot be mounted.
 */
export const ROUTE_ACTIONS: Readonly<Record<string, string | typeof IN_ROUTE>> = {
  listFunctions: 'lambda:ListFunctions',
  getFunction: 'lambda:GetFunction',
  // Creates or changes.
  putFunction: IN_ROUTE,
  patchFunction: 'lambda:UpdateFunctionConfiguration',
  deleteFunction: 'lambda:DeleteFunction',
  getFunctionCode: 'lambda:GetFunction',

  listVersions: 'lambda:ListVersionsByFunction',
  publishVersion: 'lambda:PublishVersion',
  getVersion: 'lambda:GetFunction',
  deleteVersion: 'lambda:DeleteFunction',

  listAliases: 'lambda:ListAliases',
  getAlias: 'lambda:GetAlias',
  // Creates or changes.
  putAlias: IN_ROUTE,
  deleteAlias: 'lambda:DeleteAlias',
  rollBackAlias: 'lambda:UpdateAlias',

  startRelease: 'lambda:UpdateAlias',
  listReleases: 'lambda:GetAlias',
  getRelease: 'lambda:GetAlias',
  pauseRelease: 'lambda:UpdateAlias',
  resumeRelease: 'lambda:UpdateAlias',
  abortRelease: 'lambda:UpdateAlias',

  publishLayerVersion: 'lambda:PublishLayerVersion',
  listLayers: 'lambda:ListLayers',
  listLayerVersions: 'lambda:ListLayerVersions',
  getLayerVersion: 'lambda:GetLayerVersion',
  deleteLayerVersion: 'lambda:DeleteLayerVersion',
  getLayerContent: 'lambda:GetLayerVersion',

  // Creates or changes.
  putFunctionUrl: IN_ROUTE,
  getFunctionUrl: 'lambda:GetFunctionUrlConfig',
  deleteFunctionUrl: 'lambda:DeleteFunctionUrlConfig',

  // Checked on the ids of what is there.
  listApiKeys: IN_ROUTE,
  putApiKey: IN_ROUTE,
  getApiKey: IN_ROUTE,
  deleteApiKey: IN_ROUTE,
  listUsagePlans: IN_ROUTE,
  putUsagePlan: IN_ROUTE,
  getUsagePlan: IN_ROUTE,
  deleteUsagePlan: IN_ROUTE,

  listPermissions: 'lambda:GetPolicy',
  addPermission: 'lambda:AddPermission',
  removePermission: 'lambda:RemovePermission',

  listLayerPermissions: 'lambda:GetLayerVersionPolicy',
  addLayerPermission: 'lambda:AddLayerVersionPermission',
  removeLayerPermission: 'lambda:RemoveLayerVersionPermission',

  getReservedConcurrency: 'lambda:GetFunctionConcurrency',
  putReservedConcurrency: 'lambda:PutFunctionConcurrency',
  deleteReservedConcurrency: 'lambda:DeleteFunctionConcurrency',
  listProvisionedConcurrency: 'lambda:ListProvisionedConcurrencyConfigs',
  getProvisionedConcurrency: 'lambda:GetProvisionedConcurrencyConfig',
  putProvisionedConcurrency: 'lambda:PutProvisionedConcurrencyConfig',
  deleteProvisionedConcurrency: 'lambda:DeleteProvisionedConcurrencyConfig',

  listEventInvokeConfigs: 'lambda:ListFunctionEventInvokeConfigs',
  getEventInvokeConfig: 'lambda:GetFunctionEventInvokeConfig',
  putEventInvokeConfig: 'lambda:PutFunctionEventInvokeConfig',
  changeEventInvokeConfig: 'lambda:UpdateFunctionEventInvokeConfig',
  deleteEventInvokeConfig: 'lambda:DeleteFunctionEventInvokeConfig',

  // Those of EventBridge and Scheduler, on the ARN of the rule or schedule.
  listTriggers: IN_ROUTE,
  listEventTriggers: IN_ROUTE,
  putEventTrigger: IN_ROUTE,
  getEventTrigger: IN_ROUTE,
  changeEventTrigger: IN_ROUTE,
  deleteEventTrigger: IN_ROUTE,
  putHttpTriggerStatic: IN_ROUTE,
  getHttpTriggerStatic: IN_ROUTE,
  deleteHttpTriggerStatic: IN_ROUTE,
  listScheduleTriggers: IN_ROUTE,
  putScheduleTrigger: IN_ROUTE,
  getScheduleTrigger: IN_ROUTE,
  changeScheduleTrigger: IN_ROUTE,
  deleteScheduleTrigger: IN_ROUTE,
  // Those of API Gateway, on the ARN of the API.
  listHttpTriggers: IN_ROUTE,
  putHttpTrigger: IN_ROUTE,
  getHttpTrigger: IN_ROUTE,
  changeHttpTrigger: IN_ROUTE,
  deleteHttpTrigger: IN_ROUTE,
  listWebsocketTriggers: IN_ROUTE,
  putWebsocketTrigger: IN_ROUTE,
  getWebsocketTrigger: IN_ROUTE,
  changeWebsocketTrigger: IN_ROUTE,
  deleteWebsocketTrigger: IN_ROUTE,

  // Hearth's own, on the ARN of the webhook or load balancer.
  listWebhookTriggers: IN_ROUTE,
  putWebhookTrigger: IN_ROUTE,
  getWebhookTrigger: IN_ROUTE,
  changeWebhookTrigger: IN_ROUTE,
  deleteWebhookTrigger: IN_ROUTE,
  rotateWebhookSecret: IN_ROUTE,
  listLoadBalancerTriggers: IN_ROUTE,
  putLoadBalancerTrigger: IN_ROUTE,
  getLoadBalancerTrigger: IN_ROUTE,
  changeLoadBalancerTrigger: IN_ROUTE,
  deleteLoadBalancerTrigger: IN_ROUTE,

  listDomains: 'hearth:ListDomains',
  putDomain: 'hearth:PutDomain',
  getDomain: 'hearth:GetDomain',
  deleteDomain: 'hearth:DeleteDomain',

  getAccount: 'lambda:GetAccountSettings',
  simulatePolicies: 'iam:SimulateCustomPolicy',

  // Writing here is several of IAM's operations in one, without their conditions: the right to one of those is not the
  // right to this.
  listUsers: 'iam:ListUsers',
  getUser: 'iam:GetUser',
  // On the path that a new one is to have.
  putUser: IN_ROUTE,
  changeUser: 'hearth:PutUser',
  deleteUser: 'hearth:DeleteUser',
  listRoles: 'iam:ListRoles',
  getRole: 'iam:GetRole',
  putRole: IN_ROUTE,
  changeRole: 'hearth:PutRole',
  deleteRole: 'hearth:DeleteRole',
  revokeSessions: 'hearth:RevokeSessions',
  listPolicies: 'iam:ListPolicies',
  getPolicy: 'iam:GetPolicy',
  putPolicy: IN_ROUTE,
  deletePolicy: 'hearth:DeletePolicy',
  listKeys: 'hearth:ListKeys',
  getKey: 'hearth:GetKey',
  createKey: 'hearth:CreateKey',
  changeKey: 'hearth:ChangeKey',
  rotateKey: 'hearth:RotateKey',
  revokeKey: 'hearth:RevokeKey',
  // With the secret's tags, and what is asked of it.
  listSecrets: 'secretsmanager:ListSecrets',
  putSecret: IN_ROUTE,
  getSecret: IN_ROUTE,
  getSecretValue: IN_ROUTE,
  listSecretVersions: IN_ROUTE,
  putSecretVersion: IN_ROUTE,
  deleteSecret: IN_ROUTE,
  restoreSecret: IN_ROUTE,
  getMasterKey: 'hearth:GetMasterKey',
  rotateMasterKey: 'hearth:RotateMasterKey',
  getMetricValues: 'cloudwatch:GetMetricData',

  listAuditEntries: 'hearth:ListAuditEntries'
}
