import { afterEach, expect, test, vi } from 'vitest'
import { besideK6, settingsGiven } from '../../stack/api-instances.ts'

afterEach(() => vi.unstubAllEnvs())

test('given settings are listed, without secrets and without variables of other programs', () => {
  vi.stubEnv('INGEST_BATCH_WAIT_MS', '5')
  vi.stubEnv('POSTGRES_PASSWORD', 'hidden')
  vi.stubEnv('EDITOR', 'ed')
  const settings = settingsGiven(besideK6())
  expect(settings).toMatchObject({ INGEST_BATCH_WAIT_MS: '5', LIVE_TICK_MS: '30' })
  expect(settings).not.toHaveProperty('POSTGRES_PASSWORD')
  expect(settings).not.toHaveProperty('EDITOR')
})

test('the tick that the user set holds', () => {
  vi.stubEnv('LIVE_TICK_MS', '10')
  expect(settingsGiven(besideK6())).toMatchObject({ LIVE_TICK_MS: '10' })
})
