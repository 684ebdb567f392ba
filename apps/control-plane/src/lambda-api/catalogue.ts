/** Operations of the API that belong together. */
export interface ApiArea {
  readonly title: string
  /** Why those of them that no file here serves are not served; ends a sentence. Undefined: all are. */
  readonly missing: string | undefined
  /** By name: method and path as in the service model. */
  readonly operations: Readonly<Record<string, string>>
}

/**
 * Every operation of the Lambda API (service model of 2026), served here or not. What the registry has no operation for
 * is answered by name, with the reason below: a client must never take it for a function that is not there.
 */
export const API_AREAS: readonly ApiArea[] = [
  {
    title: 'Functions',
    missing: undefined,
    operations: {
      CreateFunction: 'POST /2015-03-31/functions',
      DeleteFunction: 'DELETE /2015-03-31/functions/{FunctionName}',
      GetFunction: 'GET /2015-03-31/functions/{FunctionName}',
      GetFunctionConfiguration: 'GET /2015-03-31/functions/{FunctionName}/configuration',
      ListFunctions: 'GET /2015-03-31/functions',
      UpdateFunctionCode: 'PUT /2015-03-31/functions/{FunctionName}/code',
      UpdateFunctionConfiguration: 'PUT /2015-03-31/functions/{FunctionName}/configuration'
    }
  },
  {
    title: 'Settings beside the configuration, and the account',
    missing: undefined,
    operations: {
      GetAccountSettings: 'GET /2016-08-19/account-settings',
      GetFunctionRecursionConfig: 'GET /2024-08-31/functions/{FunctionName}/recursion-config',
      GetRuntimeManagementConfig: 'GET /2021-07-20/functions/{FunctionName}/runtime-management-config',
      PutFunctionRecursionConfig: 'PUT /2024-08-31/functions/{FunctionName}/recursion-config',
      PutRuntimeManagementConfig: 'PUT /2021-07-20/functions/{FunctionName}/runtime-management-config'
    }
  },
  {
    title: 'Tags',
    missing: undefined,
    operations: {
      ListTags: 'GET /2017-03-31/tags/{Resource}',
      TagResource: 'POST /2017-03-31/tags/{Resource}',
      UntagResource: 'DELETE /2017-03-31/tags/{Resource}'
    }
  },
  {
    title: 'Code signing',
    missing: undefined,
    operations: {
      CreateCodeSigningConfig: 'POST /2020-04-22/code-signing-configs',
      DeleteCodeSigningConfig: 'DELETE /2020-04-22/code-signing-configs/{CodeSigningConfigArn}',
      DeleteFunctionCodeSigningConfig: 'DELETE /2020-06-30/functions/{FunctionName}/code-signing-config',
      GetCodeSigningConfig: 'GET /2020-04-22/code-signing-configs/{CodeSigningConfigArn}',
      GetFunctionCodeSigningConfig: 'GET /2020-06-30/functions/{FunctionName}/code-signing-config',
      ListCodeSigningConfigs: 'GET /2020-04-22/code-signing-configs',
      ListFunctionsByCodeSigningConfig: 'GET /2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions',
      PutFunctionCodeSigningConfig: 'PUT /2020-06-30/functions/{FunctionName}/code-signing-config',
      UpdateCodeSigningConfig: 'PUT /2020-04-22/code-signing-configs/{CodeSigningConfigArn}'
    }
  },
  {
    title: 'Versions and aliases',
    missing: 'published versions and aliases are not there yet',
    operations: {
      CreateAlias: 'POST /2015-03-31/functions/{FunctionName}/aliases',
      DeleteAlias: 'DELETE /2015-03-31/functions/{FunctionName}/aliases/{Name}',
      GetAlias: 'GET /2015-03-31/functions/{FunctionName}/aliases/{Name}',
      ListAliases: 'GET /2015-03-31/functions/{FunctionName}/aliases',
      ListVersionsByFunction: 'GET /2015-03-31/functions/{FunctionName}/versions',
      PublishVersion: 'POST /2015-03-31/functions/{FunctionName}/versions',
      UpdateAlias: 'PUT /2015-03-31/functions/{FunctionName}/aliases/{Name}'
    }
  },
  {
    title: 'Invocation',
    missing: 'it is deprecated; use Invoke with InvocationType Event',
    operations: {
      Invoke: 'POST /2015-03-31/functions/{FunctionName}/invocations',
      InvokeAsync: 'POST /2014-11-13/functions/{FunctionName}/invoke-async',
      InvokeWithResponseStream: 'POST /2021-11-15/functions/{FunctionName}/response-streaming-invocations'
    }
  },
  {
    title: 'Function URLs',
    missing: undefined,
    operations: {
      CreateFunctionUrlConfig: 'POST /2021-10-31/functions/{FunctionName}/url',
      DeleteFunctionUrlConfig: 'DELETE /2021-10-31/functions/{FunctionName}/url',
      GetFunctionUrlConfig: 'GET /2021-10-31/functions/{FunctionName}/url',
      ListFunctionUrlConfigs: 'GET /2021-10-31/functions/{FunctionName}/urls',
      UpdateFunctionUrlConfig: 'PUT /2021-10-31/functions/{FunctionName}/url'
    }
  },
  {
    title: 'Permissions',
    missing:
      'resource policies are written statement by statement, with AddPermission; whoever has a key may call, and a function URL with AuthType NONE is public without one',
    operations: {
      AddPermission: 'POST /2015-03-31/functions/{FunctionName}/policy',
      DeleteResourcePolicy: 'DELETE /2026-07-09/resource-policy/{ResourceArn}',
      GetPolicy: 'GET /2015-03-31/functions/{FunctionName}/policy',
      GetResourcePolicy: 'GET /2026-07-09/resource-policy/{ResourceArn}',
      PutResourcePolicy: 'PUT /2026-07-09/resource-policy/{ResourceArn}',
      RemovePermission: 'DELETE /2015-03-31/functions/{FunctionName}/policy/{StatementId}'
    }
  },
  {
    title: 'Concurrency',
    missing: undefined,
    operations: {
      DeleteFunctionConcurrency: 'DELETE /2017-10-31/functions/{FunctionName}/concurrency',
      DeleteProvisionedConcurrencyConfig: 'DELETE /2019-09-30/functions/{FunctionName}/provisioned-concurrency',
      GetFunctionConcurrency: 'GET /2019-09-30/functions/{FunctionName}/concurrency',
      GetProvisionedConcurrencyConfig: 'GET /2019-09-30/functions/{FunctionName}/provisioned-concurrency',
      ListProvisionedConcurrencyConfigs: 'GET /2019-09-30/functions/{FunctionName}/provisioned-concurrency?List=ALL',
      PutFunctionConcurrency: 'PUT /2017-10-31/functions/{FunctionName}/concurrency',
      PutProvisionedConcurrencyConfig: 'PUT /2019-09-30/functions/{FunctionName}/provisioned-concurrency'
    }
  },
  {
    title: 'Asynchronous invocation',
    missing: "the settings of asynchronous invocation are not there yet; Lambda's defaults hold",
    operations: {
      DeleteFunctionEventInvokeConfig: 'DELETE /2019-09-25/functions/{FunctionName}/event-invoke-config',
      GetFunctionEventInvokeConfig: 'GET /2019-09-25/functions/{FunctionName}/event-invoke-config',
      ListFunctionEventInvokeConfigs: 'GET /2019-09-25/functions/{FunctionName}/event-invoke-config/list',
      PutFunctionEventInvokeConfig: 'PUT /2019-09-25/functions/{FunctionName}/event-invoke-config',
      UpdateFunctionEventInvokeConfig: 'POST /2019-09-25/functions/{FunctionName}/event-invoke-config'
    }
  },
  {
    title: 'Event source mappings',
    missing: 'event source mappings are not there yet',
    operations: {
      CreateEventSourceMapping: 'POST /2015-03-31/event-source-mappings',
      DeleteEventSourceMapping: 'DELETE /2015-03-31/event-source-mappings/{UUID}',
      GetEventSourceMapping: 'GET /2015-03-31/event-source-mappings/{UUID}',
      ListEventSourceMappings: 'GET /2015-03-31/event-source-mappings',
      UpdateEventSourceMapping: 'PUT /2015-03-31/event-source-mappings/{UUID}'
    }
  },
  {
    title: 'Layers',
    missing: undefined,
    operations: {
      AddLayerVersionPermission: 'POST /2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy',
      DeleteLayerVersion: 'DELETE /2018-10-31/layers/{LayerName}/versions/{VersionNumber}',
      GetLayerVersion: 'GET /2018-10-31/layers/{LayerName}/versions/{VersionNumber}',
      GetLayerVersionByArn: 'GET /2018-10-31/layers?find=LayerVersion',
      GetLayerVersionPolicy: 'GET /2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy',
      ListLayerVersions: 'GET /2018-10-31/layers/{LayerName}/versions',
      ListLayers: 'GET /2018-10-31/layers',
      PublishLayerVersion: 'POST /2018-10-31/layers/{LayerName}/versions',
      RemoveLayerVersionPermission:
        'DELETE /2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}'
    }
  },
  {
    title: 'Durable functions',
    missing: 'durable functions are not there yet',
    operations: {
      CheckpointDurableExecution: 'POST /2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint',
      GetDurableExecution: 'GET /2025-12-01/durable-executions/{DurableExecutionArn}',
      GetDurableExecutionHistory: 'GET /2025-12-01/durable-executions/{DurableExecutionArn}/history',
      GetDurableExecutionState: 'GET /2025-12-01/durable-executions/{DurableExecutionArn}/state',
      ListDurableExecutionsByFunction: 'GET /2025-12-01/functions/{FunctionName}/durable-executions',
      SendDurableExecutionCallbackFailure: 'POST /2025-12-01/durable-execution-callbacks/{CallbackId}/fail',
      SendDurableExecutionCallbackHeartbeat: 'POST /2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat',
      SendDurableExecutionCallbackSuccess: 'POST /2025-12-01/durable-execution-callbacks/{CallbackId}/succeed',
      StopDurableExecution: 'POST /2025-12-01/durable-executions/{DurableExecutionArn}/stop'
    }
  },
  {
    title: 'Capacity providers',
    missing: 'functions run on this machine, and there are no capacity providers and no managed instances',
    operations: {
      CreateCapacityProvider: 'POST /2025-11-30/capacity-providers',
      DeleteCapacityProvider: 'DELETE /2025-11-30/capacity-providers/{CapacityProviderName}',
      GetCapacityProvider: 'GET /2025-11-30/capacity-providers/{CapacityProviderName}',
      GetFunctionScalingConfig: 'GET /2025-11-30/functions/{FunctionName}/function-scaling-config',
      ListCapacityProviders: 'GET /2025-11-30/capacity-providers',
      ListFunctionVersionsByCapacityProvider:
        'GET /2025-11-30/capacity-providers/{CapacityProviderName}/function-versions',
      PutFunctionScalingConfig: 'PUT /2025-11-30/functions/{FunctionName}/function-scaling-config',
      UpdateCapacityProvider: 'PUT /2025-11-30/capacity-providers/{CapacityProviderName}'
    }
  }
]

/** Operations that the gateway serves: they run functions and never reach this process. */
export const GATEWAY_OPERATIONS: Readonly<Record<string, string>> = {
  Invoke: '`InvocationType` `RequestResponse`, `DryRun` and `Event`',
  InvokeWithResponseStream: '`InvocationType` `RequestResponse` and `DryRun`'
}
