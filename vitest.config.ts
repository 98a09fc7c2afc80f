import { defineConfig } from 'vitest/config'

/** Postgres, Redis and their clients share the machine with the tests: more workers than this only wait. */
const WORKERS = 2

const integration = (name: string, include: string[], exclude: string[] = []) => ({
  extends: true as const,
  test: { name, include, exclude, maxWorkers: WORKERS },
})

export default defineConfig({
  test: {
    // Starts servers when a test first asks for them, and stops them at the end of the run.
    globalSetup: ['platform/test-support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: WORKERS,
    // For a machine that is busy: what a test waits for has its own deadline.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      integration('api', ['contract/test/**/*.test.ts', 'api/test/**/*.test.ts']),
      integration('client', ['client/test/**/*.test.ts']),
      integration('platform', ['platform/test/**/*.test.ts']),
      integration('loadtests', ['loadtests/test/**/*.test.ts'], ['**/*.smoke.test.ts']),
      integration('comparisons', ['comparisons/test/**/*.test.ts'], ['**/*.smoke.test.ts']),
      integration('cdk8s', ['cdk8s/test/**/*.test.ts']),
      integration('dashboards', ['dashboards/tests/**/*.test.ts']),
      integration('chaos', ['chaos/test/**/*.test.ts']),
      integration('tooling', ['tooling/test/**/*.test.ts']),
      // The whole job, alone on the machine and after everything else.
      {
        extends: true as const,
        test: {
          name: 'smoke',
          include: ['loadtests/test/**/*.smoke.test.ts', 'comparisons/test/**/*.smoke.test.ts'],
          maxWorkers: 1,
          testTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
