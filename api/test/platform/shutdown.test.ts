import { expect, test } from 'vitest'
import { anEvent, post, runningPlatform } from './running-platform.ts'

test('an instance that stops under load answers what it accepted, and has stored exactly what it answered', async () => {
  const platform = await runningPlatform(1)
  const { key, id } = await platform.newTenant()
  const at = platform.instances[0]!
  const acknowledged = new Set<string>()
  const unclear = new Set<string>()
  let stopping = false
  const sender = async () => {
    while (!stopping) {
      const event = anEvent('INITIATED')
      try {
        const answer = await post(at, event, key)
        if (answer.status === 201) acknowledged.add(event.eventId)
        else expect(answer.status).toBe(503)
      } catch {
        // The listener is gone: nobody answered, so nobody promised anything.
        unclear.add(event.eventId)
        return
      }
    }
  }
  const senders = Array.from({ length: 20 }, sender)
  await expect.poll(() => acknowledged.size, { timeout: 15_000 }).toBeGreaterThan(200)
  at.instance.health.drain()
  await at.instance.close()
  stopping = true
  await Promise.all(senders)
  const stored = await platform.query<{ event_id: string }>(
    'select event_id from hopwhistle.call_events where tenant_id = $1',
    [id],
  )
  const missing = [...acknowledged].filter((e) => !stored.some((s) => s.event_id === e))
  expect(missing).toEqual([])
  const unexpected = stored.filter((s) => !acknowledged.has(s.event_id) && !unclear.has(s.event_id))
  expect(unexpected).toEqual([])
})
