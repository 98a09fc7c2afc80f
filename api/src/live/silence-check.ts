import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageLog } from '../redis/message-log.ts'
import { about, repeat } from '../timing/repeat.ts'
import type { Received } from './received.ts'

/**
 * Looks after a hub every two seconds: moves its sockets on, and asks the log whether a silence is one. Redis may lose
 * the last message before a silence, which no later one gives away.
 */
export type SilenceCheck = {
  /** Tells that a message came. */
  heard(): void
  stop(): void
}

export type SilenceCheckDependencies = {
  readonly tenantId: string
  readonly log: MessageLog
  readonly received: Received
  isLive(): boolean
  /** Something was published and not heard. */
  onMissed(): void
}

const EVERY_MS = 2_000
/** A published batch may be on its way still when the log already has it. */
const ON_ITS_WAY_MS = 250
/** So many times in a row that nothing was heard, and the connection is given up. */
const DEAF_AFTER = 3

export function startSilenceCheck(dependencies: SilenceCheckDependencies): SilenceCheck {
  const { tenantId, log, received, isLive, onMissed } = dependencies
  let lastHeardAt = 0
  let deaf = 0

  async function check(): Promise<void> {
    received.fanOut.settle()
    if (!isLive() || Date.now() - lastHeardAt < EVERY_MS / 2) return
    const before = received.at().offset
    const page = await log.read(tenantId)
    const now = received.at()
    if (page.epoch === now.epoch && page.offset === now.offset) return
    await sleep(ON_ITS_WAY_MS)
    const { epoch, offset } = received.at()
    if (!isLive() || (page.epoch === epoch && offset >= page.offset && page.offset >= before)) return
    deaf += 1
    if (deaf >= DEAF_AFTER) log.renew()
    onMissed()
  }

  const checking = repeat(async () => {
    await check().catch(() => {})
    return about(EVERY_MS)
  }, EVERY_MS)

  return {
    heard: () => {
      lastHeardAt = Date.now()
      deaf = 0
    },
    stop: () => void checking.stop(),
  }
}
