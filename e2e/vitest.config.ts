import { defineConfig } from 'vitest/config'

/** Tests of the platform in a cluster: one deployment for all of them, so one after the other. */
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    globalSetup: ['e2e/support/deploy.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
})
