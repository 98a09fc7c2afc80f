import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { anEvent, type Platform, runningPlatform, type Tenant } from '../../api/test/platform/running-platform.ts'
import { waitUntil } from '../../platform/lib/wait-until.ts'
import {
  type Call,
  type CallEvent,
  type ChangesOptions,
  createSender,
  followChanges,
  HopwhistleError,
} from '../src/index.ts'
import { proxyTo } from './support/proxy-to.ts'

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(2)
})
afterAll(() => platform.close())

const url = () => platform.instances[0]!.url
const since = new Date(Date.now() - 60_000)
const events = (count: number): CallEvent[] => Array.from({ length: count }, () => anEvent('INITIATED'))
const send = ({ key }: Tenant, sent: readonly CallEvent[]) => createSender({ url: url(), apiKey: key }).send(sent)

/** Follows in the background, and keeps what a warehouse would. */
function following(at: string, { key }: Tenant, options: Partial<ChangesOptions> = {}) {
  const over = new AbortController()
  const calls: Call[] = []
  let kept: string | undefined
  const end = (async () => {
    const quick = { everyMs: 50, backoff: { firstMs: 20, maxMs: 100 }, signal: over.signal }
    for await (const page of followChanges({ url: at, apiKey: key }, { since, ...quick, ...options })) {
      calls.push(...page.calls)
      kept = page.cursor
    }
  })().catch((error: unknown) => error)
  const stop = async () => {
    over.abort()
    return end
  }
  onTestFinished(async () => void (await stop()))
  return {
    calls,
    cursor: () => kept,
    end,
    stop,
    has: (count: number) => waitUntil(`${count} calls`, () => calls.length >= count, { timeoutMs: 15_000 }),
  }
}

test('it hands out every call that changes, and a later one goes on after the cursor that was kept', async () => {
  const tenant = await platform.newTenant()
  const first = events(450)
  await send(tenant, first)
  const before = following(url(), tenant)
  await before.has(450)
  await before.stop()
  const missed = events(5)
  await send(tenant, missed)
  await send(tenant, [{ ...anEvent('COMPLETED'), callId: first[0]!.callId }])
  const later = following(url(), tenant, { cursor: before.cursor() })
  await later.has(6)
  expect(new Set(later.calls.map(({ callId }) => callId))).toEqual(
    new Set([...missed.map(({ callId }) => callId), first[0]!.callId]),
  )
  expect(later.calls.find(({ callId }) => callId === first[0]!.callId)?.state).toBe('COMPLETED')
})

test('a platform that does not answer for a while is asked again, and nothing is missed', async () => {
  const tenant = await platform.newTenant()
  const proxy = await proxyTo(url())
  const { calls, has } = following(proxy.url, tenant)
  await send(tenant, events(3))
  await has(3)
  proxy.set('cut')
  await send(tenant, events(4))
  proxy.set('open')
  await has(7)
  expect(new Set(calls.map(({ callId }) => callId)).size).toBe(7)
})

test('a key or a cursor that is refused ends it, with the reason', async () => {
  const tenant = await platform.newTenant()
  const ends = async (options: Partial<ChangesOptions>, of = tenant) => {
    const error = await following(url(), of, options).end
    expect(error).toBeInstanceOf(HopwhistleError)
    return (error as HopwhistleError).problem.code
  }
  expect(await ends({}, { ...tenant, key: 'no-such-key' })).toBe('unauthorized')
  expect(await ends({ cursor: 'none-that-was-given' })).toBe('invalid-cursor')
  await platform.query(`update hopwhistle.call_changes_kept set since = now()`)
  expect(await ends({})).toBe('changes-forgotten')
})
