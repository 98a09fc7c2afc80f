/**
 * One publisher: posts its share of the call events when each is due, whether or not the ones before were answered.
 *
 * A post that fails is repeated with the same event id, which the platform stores once: so a message is either known
 * to be published, and due at every subscriber, or counted as failed.
 */
import http from 'k6/http'
import type { CallEventBody } from '../../../../contract/calls.ts'
import { ROUTES } from '../../../../contract/routes.ts'
import type { PhaseName, PhaseSpan } from '../../../results-format.ts'
import { callEvent, fictionalNumbers, PROGRESS } from '../call-progress.ts'
import { farewellId, messageId } from '../message-ids.ts'
import { phaseAt } from '../phases.ts'
import { dueAtSeconds, plannedMessages, scheduleOf } from '../publish-schedule.ts'
import type { LiveSettings } from '../settings.ts'
import type { LiveMeter } from './live-meter.ts'
import { publishCounts } from './publish-counts.ts'
import { type RunContext, requestHeaders } from './run-context.ts'
import { sleepMs } from './sleep-ms.ts'

const ATTEMPTS = 3
const RETRY_MS = 500
const FLUSH_MS = 1000
/** Unanswered posts of one publisher; past it a message is dropped and counted, for memory has an end. */
const MOST_IN_FLIGHT = 100
/** A publisher moves this many calls forward in turn, so that a call's events are seconds apart. */
const CALLS_AT_ONCE = 50

export type Publisher = {
  readonly settings: LiveSettings
  readonly meter: LiveMeter
  readonly phases: readonly PhaseSpan[]
  readonly run: RunContext
  /** 0 to the number of publishers - 1, over all runners. */
  readonly index: number
  /** Unix milliseconds: when the first message of all publishers is due. */
  readonly beginsAt: number
}

export async function publishAll({ settings, meter, phases, run, index, beginsAt }: Publisher): Promise<void> {
  const { publishers, connectSeconds, subscribers } = settings.shape
  const schedule = scheduleOf(settings)
  const planned = plannedMessages(schedule)
  const counts = publishCounts(meter, subscribers)
  const numbers = fictionalNumbers(index)
  const url = `${settings.apiUrl}${ROUTES.callEvent}`
  const params = { headers: requestHeaders(settings), tags: { name: `POST ${ROUTES.callEvent}` }, timeout: '10s' }
  const pending = new Set<number>()
  let acknowledged = 0
  let flushAt = beginsAt + FLUSH_MS

  /** Posts until the event is known to be published, or gives up. */
  async function post(phase: PhaseName, event: CallEventBody): Promise<void> {
    const counted = counts.of[phase]
    const body = JSON.stringify(event)
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { status, timings } = await http.asyncRequest('POST', url, body, params)
      if (attempt === 1) {
        counted.latency.add(timings.duration)
        if (phase === 'peak') meter.publishTrend.add(timings.duration)
      }
      // A duplicate at the first attempt is another run's event: the run id was used before, nothing was published.
      if (status === 201 || (status === 200 && attempt > 1)) {
        counted.messages_published += 1
        acknowledged += 1
        return
      }
      if (attempt === ATTEMPTS) break
      counted.publish_retried += 1
      await sleepMs(RETRY_MS)
    }
    counted.publish_failed += 1
  }

  for (let n = 0, number = index; number < planned; n++, number += publishers) {
    const dueSeconds = dueAtSeconds(number, schedule)
    const dueAt = beginsAt + dueSeconds * 1000
    if (dueAt > Date.now()) await sleepMs(dueAt - Date.now())
    const phase = phaseAt(phases, connectSeconds + dueSeconds)
    const now = Date.now()
    if (now >= flushAt) {
      counts.flush()
      flushAt = now + FLUSH_MS
    }
    if (pending.size >= MOST_IN_FLIGHT) {
      counts.of[phase].publish_dropped += 1
      continue
    }
    counts.of[phase].lag.add(now - dueAt)
    pending.add(number)
    const event = callEvent(
      messageId(run.runId, number),
      callIdOf(run.runId, index, n),
      stateOf(n),
      new Date(),
      numbers,
    )
    void post(phase, event).finally(() => pending.delete(number))
  }
  while (pending.size > 0) await sleepMs(50)
  const farewell = farewellId(run.runId, index, acknowledged + 1)
  await post('cool', callEvent(farewell, farewell, 'INITIATED', new Date(), numbers))
  counts.flush()
}

/** The n-th message of a publisher moves call n mod 50 of its current fifty one state forward. */
const stateOf = (n: number) => PROGRESS[Math.floor(n / CALLS_AT_ONCE) % PROGRESS.length] ?? 'INITIATED'

function callIdOf(runId: string, publisher: number, n: number): string {
  const fifty = Math.floor(n / (CALLS_AT_ONCE * PROGRESS.length))
  return `${runId}.c${publisher}.${fifty * CALLS_AT_ONCE + (n % CALLS_AT_ONCE)}`
}
