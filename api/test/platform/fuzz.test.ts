import { CALL_STATES, type CallEventBody } from '@hopwhistle/contract/calls.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, get, type Platform, post, runningPlatform, type Tenant } from './running-platform.ts'

let platform: Platform
let tenant: Tenant
beforeAll(async () => {
  platform = await runningPlatform()
  tenant = await platform.newTenant()
})
afterAll(() => platform.close())

/** The same cases each time: what breaks is to break for who changes it, and not for who comes by. */
const SEED = 7
const RUNS = 500
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 200 }))
/** Events that are nearly right, with any field exchanged for anything, and names that mean something to JavaScript. */
const nearlyRight = fc.record(
  {
    eventId: fc.oneof(fc.uuid(), text, fc.jsonValue()),
    callId: fc.oneof(fc.uuid(), text, fc.jsonValue()),
    state: fc.oneof(fc.constantFrom(...CALL_STATES), fc.jsonValue()),
    occurredAt: fc.oneof(
      fc.date({ noInvalidDate: true, min: new Date(Date.now() - 8e9), max: new Date() }).map((d) => d.toISOString()),
      text,
      fc.jsonValue(),
    ),
    direction: fc.oneof(fc.constantFrom('inbound', 'outbound'), fc.jsonValue()),
    from: fc.oneof(text, fc.jsonValue()),
    to: fc.oneof(text, fc.jsonValue()),
    labels: fc.oneof(fc.dictionary(text, fc.oneof(text, fc.jsonValue())), fc.jsonValue()),
    metadata: fc.oneof(fc.dictionary(text, fc.jsonValue()), fc.jsonValue()),
    constructor: fc.jsonValue(),
    toString: fc.jsonValue(),
  },
  { requiredKeys: ['eventId', 'callId', 'state', 'occurredAt'] },
)
const REFUSED = [400, 409, 413, 422]

test('whatever is posted as an event is taken and kept as it was, or refused with the reason', {
  timeout: 120_000,
}, async () => {
  const [one] = platform.instances
  await fc.assert(
    fc.asyncProperty(fc.oneof(nearlyRight, nearlyRight, fc.jsonValue()), async (body) => {
      const answer = await post(one!, body, tenant.key)
      if (answer.status !== 201 && answer.status !== 200) {
        expect(REFUSED).toContain(answer.status)
        expect(answer.body).toMatchObject({ status: answer.status, code: expect.any(String) })
        return
      }
      const { eventId, callId } = body as CallEventBody
      const call = await get(one!, ROUTES.call.replace(':callId', encodeURIComponent(callId)), tenant.key)
      expect(call.status).toBe(200)
      expect(JSON.stringify(call.body)).toContain(JSON.stringify(eventId))
    }),
    { seed: SEED, numRuns: RUNS },
  )
})

test('one wrong event among right ones in a batch is refused alone', { timeout: 120_000 }, async () => {
  const [one] = platform.instances
  await fc.assert(
    fc.asyncProperty(fc.array(nearlyRight, { maxLength: 8 }), fc.nat(8), async (strangers, at) => {
      const right = anEvent('RINGING')
      const body = [...strangers.slice(0, at), right, ...strangers.slice(at)]
      const answer = await post(one!, { events: body }, tenant.key, ROUTES.callEvents)
      expect(answer.status).toBeLessThan(300)
      expect(answer.body.results[Math.min(at, strangers.length)]).toMatchObject({ outcome: 'applied' })
    }),
    { seed: SEED, numRuns: 150 },
  )
})
