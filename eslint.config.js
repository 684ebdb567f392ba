import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  globalIgnores(['**/dist/', '.tap/', '**/*.{js,cjs,mjs}', 'test/fixtures/', 'examples/']),
  {
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off', // a Fastify plugin is async by contract
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name="process"][property.name="env"]',
          message: 'main.ts hands the environment to readConfig; take a Config instead.'
        }
      ]
    }
  },
  // What runs inside a sandbox is the function's own process: its environment is the function's.
  { files: ['**/src/main.ts', 'packages/executor/src/runtimes/**'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      'no-restricted-syntax': 'off',
      '@typescript-eslint/no-floating-promises': 'off', // t.test() schedules itself
      '@typescript-eslint/no-unsafe-member-access': 'off'
    }
  }
)
