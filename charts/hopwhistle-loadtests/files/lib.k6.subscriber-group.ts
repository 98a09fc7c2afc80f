/**
 * The subscribers of one VU: connected one after the other before the first message, and kept until everything that
 * was due has arrived, or the time for it is over.
 */
import type { PhaseSpan } from './loadtests.results-format.ts'
import { deliveryTally } from './lib.delivery-tally.ts'
import { peakFrom } from './lib.phases.ts'
import { plannedMessages, scheduleOf } from './lib.publish-schedule.ts'
import type { LiveSettings } from './lib.settings.ts'
import { subscribersOf } from './lib.subscriber-share.ts'
import { frameCounts } from './lib.k6.frame-counts.ts'
import { frameHandler } from './lib.k6.frame-handler.ts'
import type { LiveMeter } from './lib.k6.live-meter.ts'
import type { RunContext } from './lib.k6.run-context.ts'
import { sleepMs } from './lib.k6.sleep-ms.ts'
import { openSubscriber, type SubscriberSocket } from './lib.k6.subscriber-socket.ts'

/** One in this many subscribers looks at every message's id; all count by offset and time every message. */
const CHECKER_EVERY = 10
const FLUSH_MS = 1000
/** How long to listen on when everything is there: a duplicate may follow. */
const LINGER_MS = 1000
/** The part of the connecting time that is used: the rest lets the last of them subscribe. */
const CONNECT_PART = 0.8

export type SubscriberGroup = {
  readonly settings: LiveSettings
  readonly meter: LiveMeter
  readonly phases: readonly PhaseSpan[]
  readonly run: RunContext
  /** 0 to the number of subscribing VUs - 1, over all runners. */
  readonly index: number
  /** Unix milliseconds: when the scenario began. */
  readonly beganAt: number
}

export async function subscribeAll({ settings, meter, phases, run, index, beganAt }: SubscriberGroup): Promise<void> {
  const { shape } = settings
  const mine = subscribersOf(index, shape)
  const { publishers } = shape
  const groups = new Map<number, ReturnType<typeof newGroup>>()
  const sockets: SubscriberSocket[] = []
  let isOver = false

  /** The subscribers of a tenant receive the same messages. */
  function newGroup() {
    const tally = deliveryTally({ runId: run.runId, publishers, planned: plannedMessages(scheduleOf(settings)) })
    const counts = frameCounts(meter, tally, beganAt + peakFrom(phases) * 1000)
    return { tally, counts, handler: frameHandler(run.runId, tally, counts, meter), subscribers: 0 }
  }

  const flushing = (async () => {
    while (!isOver) {
      await sleepMs(FLUSH_MS)
      for (const { handler, counts } of groups.values()) {
        handler.flush()
        counts.flush()
      }
    }
  })()

  for (const [i, number] of mine.entries()) {
    const part = (i + index / shape.subscriberVUs) / mine.length
    await untilMs(beganAt + part * shape.connectSeconds * CONNECT_PART * 1000)
    const tenant = number % settings.tenants
    const group = groups.get(tenant) ?? newGroup()
    groups.set(tenant, group)
    const isFirst = group.subscribers === 0
    const checks = group.subscribers++ % CHECKER_EVERY === 0
    const socket = openSubscriber({ settings, tenant, ...group, checks })
    sockets.push(socket)
    // The first of a tenant tells foreign messages from ours for the others: it has to have seen what they see.
    if (isFirst) await untilTrue(socket.isConnected, beganAt + shape.connectSeconds * 1000)
  }

  const coolAt = phases.find(({ name }) => name === 'cool')
  await untilMs(beganAt + (coolAt?.fromSeconds ?? 0) * 1000)
  const isComplete = () => [...groups.values()].every(({ tally, subscribers }) => tally.complete(subscribers))
  await untilTrue(isComplete, beganAt + (coolAt?.toSeconds ?? 0) * 1000 - LINGER_MS)
  await sleepMs(LINGER_MS)
  isOver = true
  for (const socket of sockets) socket.stop()
  await flushing
  for (const { handler, counts, subscribers } of groups.values()) {
    handler.flush()
    counts.finish(subscribers)
  }
}

const untilMs = async (at: number): Promise<void> => {
  if (at > Date.now()) await sleepMs(at - Date.now())
}

async function untilTrue(condition: () => boolean, deadline: number): Promise<void> {
  while (!condition() && Date.now() < deadline) await sleepMs(100)
}
