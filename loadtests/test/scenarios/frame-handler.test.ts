import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deliveryTally, type Subscriber } from '../../scenarios/lib/delivery-tally.ts'
import { bucketIndex } from '../../scenarios/lib/histogram.ts'
import { frameCounts } from '../../scenarios/lib/k6/frame-counts.ts'
import { frameHandler } from '../../scenarios/lib/k6/frame-handler.ts'
import type { LiveMeter } from '../../scenarios/lib/k6/live-meter.ts'
import { headStart } from '../../scenarios/lib/live-frame.ts'
import { farewellId, messageId } from '../../scenarios/lib/message-ids.ts'

const BEGAN = 1_795_487_755_000
const PEAK_AT = BEGAN + 100
const PLANNED = 12
const RUN = { runId: 'run', startedAt: 7 }
const start = headStart('e')

type Message = { readonly eventId: string; readonly number: number; readonly occurredAt: number }
type Frame = { readonly from: number; readonly to: number; readonly text: string }

/** k6's type of a trend has a private brand. */
const trend = (add: (ms: number) => void) => ({ name: 'trend', add }) as unknown as LiveMeter['deliveryTrend']

/**
 * The subscribers of a VU, of which every second is a checker, and what they reported in the end.
 *
 * @param base the offset after which they subscribed
 */
function vu(subscribers: number, base = 0) {
  const reported = new Map<string, number>()
  const add = (name: string, by: number) => void reported.set(name, (reported.get(name) ?? 0) + by)
  const meter: LiveMeter = {
    count: add,
    countIn: (phase, name, by) => add(`${name}_${phase}`, by),
    latency: (phase, name) => ({
      record: (ms) => add(`${name}_${phase} ${bucketIndex(ms)}`, 1),
      add: (bucket, count) => add(`${name}_${phase} ${bucket}`, count),
    }),
    deliveryTrend: trend((ms) => add(`trend ${ms}`, 1)),
    publishTrend: trend(() => {}),
  }
  const tally = deliveryTally({ runId: RUN.runId, publishers: 1, planned: PLANNED })
  const counts = frameCounts(meter, tally, PEAK_AT)
  const handler = frameHandler(RUN.runId, tally, counts, meter)
  const all = Array.from({ length: subscribers }, (_, i) => tally.subscribe(base, i % 2 === 0))
  return {
    all,
    flush: handler.flush,
    receive(subscriber: Subscriber, text: string, now: number) {
      if (subscriber.check === undefined) return handler.take(text, start, subscriber, now)
      return handler.check(text, start, subscriber, now, now - 2.5)
    },
    report() {
      handler.flush()
      counts.flush()
      return (name: string) => reported.get(name) ?? 0
    },
    startingWith: (prefix: string) =>
      Object.fromEntries([...reported].filter(([name, count]) => name.startsWith(prefix) && count !== 0)),
  }
}

function frameOf(log: readonly Message[], from: number, to: number, sentAt: number, claims = to - from + 1): Frame {
  const messages = log.slice(from - 1, to)
  const oldestAt = Math.min(...messages.map(({ occurredAt }) => occurredAt))
  const head = { type: 'events', epoch: 'e', from, to, count: claims, sentAt, oldestAt }
  const lines = messages.map(({ eventId, occurredAt }, i) =>
    JSON.stringify({ offset: from + i, type: 'call.ringing', eventId, callId: 'c', occurredAt, receivedAt: sentAt }),
  )
  return { from, to, text: [JSON.stringify(head), ...lines].join('\n') }
}

/** Mostly this run's messages, sometimes again; those of others, with and without its prefix; and farewells. */
const message = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: PLANNED + 1 }).map((number) => ({ number, eventId: messageId(RUN, number) })) },
  { weight: 1, arbitrary: fc.constantFrom('other', 'run.px', farewellId(RUN, 0, 3)).map(idOnly) },
)
function idOnly(eventId: string) {
  return { number: -1, eventId }
}
const log = fc
  .array(fc.tuple(message, fc.nat({ max: 20 })), { minLength: 1, maxLength: 30 })
  .map((list): Message[] => list.map(([made, ms], i) => ({ ...made, occurredAt: BEGAN + i * 7 + ms })))
const cuts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 })
/** Who receives something, after how many ms, and what: its next frame of an instance, or any frame at all. */
const step = fc.record({
  who: fc.nat({ max: 3 }),
  afterMs: fc.nat({ max: 2 }),
  instance: fc.nat({ max: 1 }),
  any: fc.option(fc.nat({ max: 60 }), { freq: 5 }),
  flush: fc.boolean(),
})

/** The log as an instance cuts it into frames. */
function framesOf(messages: readonly Message[], lengths: readonly number[], sentAt: number): Frame[] {
  const frames: Frame[] = []
  for (let from = 1, i = 0; from <= messages.length; i++) {
    const to = Math.min(messages.length, from + lengths[i % lengths.length]! - 1)
    frames.push(frameOf(messages, from, to, sentAt))
    from = to + 1
  }
  return frames
}

test('whatever is lost, repeated, doubled, foreign and shuffled: all of a VU count and time as each alone would', () => {
  const base = fc.nat({ max: 3 })
  const everything = fc.tuple(log, cuts, fc.option(cuts), fc.array(step, { maxLength: 120 }), base)
  fc.assert(
    fc.property(everything, ([messages, lengths, otherLengths, steps, subscribedAt]) => {
      const group = vu(4, subscribedAt)
      // Instances cut the log alike or not; the head of a frame tells them apart.
      const instances = [framesOf(messages, lengths, BEGAN), framesOf(messages, otherLengths ?? lengths, BEGAN + 1)]
      // What came before they subscribed is not due to them: it is as if they had it.
      const before = Array.from({ length: subscribedAt }, (_, i) => i + 1)
      const received = group.all.map(() => new Set<number>(before))
      const repeated = group.all.map(() => 0)
      const latencies: Record<string, number> = {}
      const sampled: Record<string, number> = {}
      const numbersOf = group.all.map(() => new Set<number>())
      let now = BEGAN + 300
      for (const { who, afterMs, instance, any, flush } of steps) {
        const subscriber = group.all[who]!
        const frames = instances[instance]!
        const next = frames.find(({ from }) => from === subscriber.last + 1)
        const frame = any === null ? next : frames[any % frames.length]
        if (frame === undefined) continue
        now += afterMs
        if (flush) group.flush()
        const oldestAt = Math.min(...messages.slice(frame.from - 1, frame.to).map((one) => one.occurredAt))
        const phase = oldestAt < PEAK_AT ? 'ramp' : 'peak'
        for (let offset = frame.from; offset <= frame.to; offset++) {
          const { number, occurredAt } = messages[offset - 1]!
          if (received[who]!.has(offset)) {
            repeated[who]! += 1
            continue
          }
          received[who]!.add(offset)
          const isNew = number >= 0 && number < PLANNED && !numbersOf[who]!.has(number)
          if (isNew) numbersOf[who]!.add(number)
          if (number >= 0) {
            const bucket = `delivery_latency_${phase} ${bucketIndex(now - occurredAt)}`
            latencies[bucket] = (latencies[bucket] ?? 0) + 1
          }
          if (isNew && subscriber.check && phase === 'peak' && offset % 10 === 0) {
            sampled[`trend ${now - occurredAt}`] = (sampled[`trend ${now - occurredAt}`] ?? 0) + 1
          }
        }
        expect(group.receive(subscriber, frame.text, now)).toBe(true)
      }
      const report = group.report()
      expect(group.startingWith('delivery_latency')).toEqual(latencies)
      expect(group.startingWith('trend')).toEqual(sampled)
      expect(report('frames_malformed')).toBe(0)
      group.all.forEach((subscriber, i) => {
        expect(subscriber.received).toBe(received[i]!.size - subscribedAt)
        expect(subscriber.duplicated).toBe(repeated[i])
        if (subscriber.check) expect(subscriber.check.distinct()).toBe(numbersOf[i]!.size)
      })
    }),
    { numRuns: 300 },
  )
})

const own = (number: number): Message => ({ number, eventId: messageId(RUN, number), occurredAt: PEAK_AT + number })

test('every frame is counted, and its wait in k6 by the checkers', () => {
  const group = vu(4)
  const frame = frameOf([own(0), own(1)], 1, 2, PEAK_AT)
  for (const subscriber of group.all) group.receive(subscriber, frame.text, PEAK_AT + 9)
  for (const subscriber of group.all) group.receive(subscriber, frame.text, PEAK_AT + 10)
  expect(group.report()('frames_received')).toBe(8)
  expect(group.startingWith('receive_lag')).toEqual({ [`receive_lag_peak ${bucketIndex(2)}`]: 4 })
})

test('a head that claims more messages than there are is malformed, for each checker that receives it', () => {
  const group = vu(4)
  const frame = frameOf([own(0), own(1)], 1, 2, PEAK_AT, 3)
  for (const subscriber of group.all) group.receive(subscriber, frame.text, PEAK_AT)
  expect(group.report()('frames_malformed')).toBe(2)
})

test('frames that settle the same offsets with other messages are read each for itself', () => {
  const group = vu(2)
  const [checker, other] = group.all as [Subscriber, Subscriber]
  group.receive(checker, frameOf([own(0), own(1)], 1, 2, PEAK_AT).text, PEAK_AT + 40)
  group.receive(other, frameOf([own(0), own(9)], 1, 2, PEAK_AT + 1).text, PEAK_AT + 40)
  group.report()
  const expected = [40, 40, 39, 31].map((ms) => `delivery_latency_peak ${bucketIndex(ms)}`)
  expect(Object.keys(group.startingWith('delivery_latency')).sort()).toEqual([...new Set(expected)].sort())
})

test('a frame that hides another message before those of one that is known is malformed', () => {
  const group = vu(3)
  const [first, , second] = group.all as [Subscriber, Subscriber, Subscriber]
  const { text } = frameOf([own(0), own(1)], 1, 2, PEAK_AT)
  const hidden = frameOf([own(5)], 1, 1, PEAK_AT).text.split('\n')[1]
  group.receive(first, text, PEAK_AT)
  group.receive(second, text.replace('\n', `\n${hidden}\n`), PEAK_AT)
  expect(group.report()('frames_malformed')).toBeGreaterThan(0)
})

test('what is no events frame is left to others', () => {
  const group = vu(1)
  expect(group.receive(group.all[0]!, '{"type":"pong","at":1}', PEAK_AT)).toBe(false)
})
