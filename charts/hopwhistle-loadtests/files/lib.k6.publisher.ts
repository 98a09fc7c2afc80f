/** One publisher: posts its share of the messages, each when it is due, whether or not those before were answered. */
import { callEvent, fictionalNumbers, PROGRESS } from './contract.traffic.call-progress.ts'
import { farewellId, messageId } from './lib.message-ids.ts'
import { dueAtSeconds, plannedMessages, scheduleOf } from './lib.publish-schedule.ts'
import type { LiveSettings } from './lib.settings.ts'
import { subscribersOfTenant } from './lib.subscriber-share.ts'
import type { LiveMeter } from './lib.k6.live-meter.ts'
import { eventPoster } from './lib.k6.post-event.ts'
import { publishCounts } from './lib.k6.publish-counts.ts'
import type { RunContext } from './lib.k6.run-context.ts'
import { sleepMs } from './lib.k6.sleep-ms.ts'

const FLUSH_MS = 1000
/** Unanswered posts of one publisher; past it a message is dropped and counted, for memory has an end. */
const MOST_IN_FLIGHT = 100
/** A publisher moves this many calls forward in turn, so that a call's events are seconds apart. */
const CALLS_AT_ONCE = 50

export type Publisher = {
  readonly settings: LiveSettings
  readonly meter: LiveMeter
  readonly run: RunContext
  /** 0 to the number of publishers - 1, over all runners. */
  readonly index: number
  /** Unix milliseconds: when the first message of all publishers is due. */
  readonly beginsAt: number
}

export async function publishAll({ settings, meter, run, index, beginsAt }: Publisher): Promise<void> {
  const { tenants } = settings
  const { publishers, subscribers, rampSeconds } = settings.shape
  const schedule = scheduleOf(settings)
  const planned = plannedMessages(schedule)
  const counts = publishCounts(meter)
  const post = eventPoster(settings)
  const numbers = fictionalNumbers(index)
  let inFlight = 0
  /** By tenant; of those that have subscribers. */
  const acknowledged = Array.from({ length: Math.min(tenants, subscribers) }, () => 0)
  let flushAt = beginsAt + FLUSH_MS

  for (let n = 0, number = index; number < planned; n++, number += publishers) {
    const dueSeconds = dueAtSeconds(number, schedule)
    const dueAt = beginsAt + dueSeconds * 1000
    if (dueAt > Date.now()) await sleepMs(dueAt - Date.now())
    const now = Date.now()
    if (now >= flushAt) {
      counts.flush()
      flushAt = now + FLUSH_MS
    }
    const isPeak = dueSeconds >= rampSeconds
    const counted = isPeak ? counts.of.peak : counts.of.ramp
    if (inFlight >= MOST_IN_FLIGHT) {
      counted.publish_dropped += 1
      continue
    }
    counted.lag.add(now - dueAt)
    inFlight += 1
    const id = messageId(run, number)
    const call = callOf(n)
    const tenant = (index + call * publishers) % tenants
    const event = callEvent(id, callIdOf(run, index, call), stateOf(n), new Date(), numbers)
    void post(event, tenant).then((posted) => {
      inFlight -= 1
      counted.latency.add(posted.ms)
      if (isPeak) meter.publishTrend.add(posted.ms)
      counted.publish_retried += posted.attempts - 1
      if (posted.isPublished) {
        if (tenant < acknowledged.length) acknowledged[tenant]! += 1
        counts.due(subscribersOfTenant(tenant, subscribers, tenants))
        counted.messages_published += 1
      } else counted.publish_failed += 1
    })
  }
  while (inFlight > 0) await sleepMs(50)
  await Promise.all(
    acknowledged.map((count, tenant) => {
      const farewell = farewellId(run, index, count)
      return post(callEvent(farewell, farewell, 'INITIATED', new Date(), numbers), tenant)
    }),
  )
  counts.flush()
}

/** The n-th message of a publisher moves call n mod 50 of its current fifty one state forward. */
const stateOf = (n: number) => PROGRESS[Math.floor(n / CALLS_AT_ONCE) % PROGRESS.length] ?? 'INITIATED'

const callOf = (n: number) => Math.floor(n / (CALLS_AT_ONCE * PROGRESS.length)) * CALLS_AT_ONCE + (n % CALLS_AT_ONCE)

const callIdOf = ({ runId, startedAt }: RunContext, publisher: number, call: number): string =>
  `${runId}.c${publisher}.${startedAt}.${call}`
