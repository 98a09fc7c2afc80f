import { expect, test } from 'vitest'
import { REMOTE_WRITE_URL, remoteWrite } from '../../kubernetes/remote-write.ts'

const RUN = { runId: '20261125-1', scenario: 'redis-pubsub' }

test('without an address k6 is told nothing', () => {
  expect(remoteWrite({ PATH: '/bin' }, RUN)).toEqual({ args: [], env: {} })
  expect(remoteWrite({ [REMOTE_WRITE_URL]: '' }, RUN)).toEqual({ args: [], env: {} })
})

test('with one, every series says of which run, scenario and runner it is, and latencies can be added up', () => {
  const { args, env } = remoteWrite({ [REMOTE_WRITE_URL]: 'http://p/api/v1/write' }, { ...RUN, runner: 2 })
  expect(args.filter((argument) => argument.includes('='))).toEqual([
    'run_id=20261125-1',
    'loadtest=redis-pubsub',
    'instance_id=2',
  ])
  expect(env).toMatchObject({ K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM: 'true' })
})

test('a password goes through the environment, never into the arguments that anybody can list', () => {
  const environment = { [REMOTE_WRITE_URL]: 'http://p', K6_PROMETHEUS_RW_PASSWORD: 'secret', API_KEY: 'key' }
  const { args, env } = remoteWrite(environment, RUN)
  expect(args.join(' ')).not.toContain('secret')
  expect(env.K6_PROMETHEUS_RW_PASSWORD).toBe('secret')
  expect(env).not.toHaveProperty('API_KEY')
})
