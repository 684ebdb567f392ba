/** Direction of imports: apps -> store, executor -> sandbox -> shared. @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'apps-are-strangers', severity: 'error', from: { path: '^apps/([^/]+)/' }, to: { path: '^apps/', pathNot: '^apps/$1/' } },
    { name: 'packages-know-no-app', severity: 'error', from: { path: '^packages/' }, to: { path: '^apps/' } },
    { name: 'shared-is-the-bottom', severity: 'error', from: { path: '^packages/shared/' }, to: { path: '^packages/(?!shared/)' } },
    { name: 'sandbox-knows-no-function', severity: 'error', from: { path: '^packages/sandbox/' }, to: { path: '^packages/(?!sandbox/|shared/)|node_modules/(fastify|better-sqlite3(-node22)?|piscina)/' } },
    { name: 'executor-has-no-http-or-sql', severity: 'error', from: { path: '^packages/executor/' }, to: { path: '^packages/store/|node_modules/(fastify|better-sqlite3(-node22)?)/' } },
    { name: 'store-runs-nothing', severity: 'error', from: { path: '^packages/store/' }, to: { path: '^packages/(sandbox|executor)/' } },
    { name: 'queue-thread-loads-little', comment: 'it is a program of its own, and every start of a gateway waits for it', severity: 'error', from: { path: '^packages/store/src/(queue/(?!client)|idempotency-keys|migrations|schema-state|sqlite-addon)' }, to: { path: '^packages/shared/', pathNot: '/(pricing/function-usage|idempotency).ts$', dependencyTypesNot: ['type-only'] } },
    { name: 'sql-lives-in-store', severity: 'error', from: { pathNot: '^packages/store/' }, to: { path: 'node_modules/better-sqlite3(-node22)?/' } },
    { name: 'control-plane-runs-no-code', severity: 'error', from: { path: '^apps/control-plane/' }, to: { path: '^packages/(sandbox|executor)/', pathNot: '^packages/executor/src/runtimes/index.ts$' } },
    { name: 'builder-builds', comment: 'it knows packages, not functions, HTTP servers of others or SQL', severity: 'error', from: { path: '^packages/builder/' }, to: { path: '^packages/(store|executor)/|node_modules/(fastify|better-sqlite3(-node22)?)/' } },
    { name: 'runtimes-carry-nothing-in', comment: 'what runs inside a sandbox is bundled: node: and its own folder only', severity: 'error', from: { path: '^packages/executor/src/runtimes/[^/]+/', pathNot: '(language.ts|build.mjs)$' }, to: { path: 'node_modules/|^packages/(shared|sandbox|store)/', dependencyTypesNot: ['type-only'] } },
    { name: 'nothing-needs-deploy', comment: 'it makes files from what it knows of the others', severity: 'error', from: { path: '^(apps|packages)/' }, to: { path: '^deploy/' } },
    { name: 'internal-is-for-tests', severity: 'error', from: { path: '^(apps|packages)/' }, to: { path: '@hearth/[^/]+/internal/' } }
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', 'dist'] },
    enhancedResolveOptions: { conditionNames: ['hearth-source', 'import', 'types', 'default'], exportsFields: ['exports'] }
  }
}
