import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSecretBox } from '../../src/access/secret-box.ts'
import { createCallbacks, newCallback, sealedFor } from '../../src/providers/callbacks.ts'
import { createLog } from '../../src/telemetry/log.ts'

test('guesses cost one look-up each, and push out no callback that there is', async () => {
  const secrets = createSecretBox([randomBytes(32)])
  const { callback, callbackHash } = newCallback()
  const sealedSecret = secrets.seal('a secret', sealedFor('id', 'twilio'))
  let asked = 0
  const callbacks = createCallbacks({
    find: async (hash) => {
      asked += 1
      return hash.equals(callbackHash) ? { id: 'id', tenantId: 'tenant', sealedSecret } : undefined
    },
    secrets,
    cacheMs: 600_000,
    log: createLog({ level: 'silent', instanceId: 'test' }),
  })
  expect(await callbacks.find('twilio', callback)).toMatchObject({ tenantId: 'tenant', secret: 'a secret' })
  const last = newCallback().callback
  for (let i = 0; i < 10_000; i++) await callbacks.find('twilio', newCallback().callback).catch(() => {})
  for (let i = 0; i < 2; i++) {
    await expect(callbacks.find('twilio', last)).rejects.toMatchObject({ code: 'unknown-callback' })
  }
  expect(asked).toBe(10_002)
  await callbacks.find('twilio', callback)
  expect(asked, 'it is still known').toBe(10_002)
})
