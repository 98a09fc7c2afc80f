/** Webhooks of one instance: the routes' part, and the delivery in the background. Off unless WEBHOOK_KEYS is set. */
import { createShares } from '../access/shares.ts'
import type { Turns } from '../access/turns.ts'
import type { MemoryBudget } from '../config/memory-budget.ts'
import type { Postgres } from '../postgres/open-postgres.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type AddressSettings, createAddresses } from './addresses.ts'
import { startDelivery } from './delivery.ts'
import { startForgettingLog } from './forget-log.ts'
import { createManage, type Manage } from './manage.ts'
import { offsetPurpose, packOffset } from './message.ts'
import { createSecrets } from './secrets.ts'
import { createSender } from './sender.ts'
import { createWebhookStore } from './store.ts'

export type WebhookSettings = AddressSettings & {
  readonly webhookKeys: readonly Buffer[] | undefined
  readonly webhookTimeoutMs: number
  readonly webhookRetryAfterMs: number
  readonly webhookRetryForMs: number
  readonly webhookLogHours: number
}

export type Webhooks = {
  /** Absent when they are off. */
  readonly manage: Manage | undefined
  /** Ends requests under way and gives leases back. */
  stop(): Promise<void>
}

/** Requests of an instance at the same time. */
const REQUESTS_MAX = 256
const CONNECTIONS_OF_WEBHOOK = 16

export function createWebhooks(deps: {
  readonly postgres: Pick<Postgres, 'upkeep' | 'tokens' | 'primary'>
  readonly settings: WebhookSettings
  readonly memory: Pick<MemoryBudget, 'webhooks'>
  /** Tenants take turns with requests about their settings. */
  readonly turns: Turns
  readonly metrics: Metrics
  readonly log: Log
}): Webhooks {
  const { postgres, settings, memory, metrics, log } = deps
  const store = createWebhookStore(postgres.upkeep)
  const forgetting = startForgettingLog({ store, keepHours: settings.webhookLogHours, metrics, log })
  if (settings.webhookKeys === undefined) return { manage: undefined, stop: forgetting.stop }

  const secrets = createSecrets(settings.webhookKeys)
  const addresses = createAddresses(settings)
  const shares = createShares(REQUESTS_MAX)
  const newSender = () => createSender(addresses, settings.webhookTimeoutMs, CONNECTIONS_OF_WEBHOOK)
  const delivery = startDelivery({
    store,
    secrets,
    newSender,
    shares,
    memoryBytes: memory.webhooks,
    sealOffset: (tenantId, offset) => postgres.tokens.seal(offsetPurpose(tenantId), packOffset(offset)),
    history: postgres.primary.history,
    timeoutMs: settings.webhookTimeoutMs,
    retryAfterMs: settings.webhookRetryAfterMs,
    retryForMs: settings.webhookRetryForMs,
    metrics,
    log,
  })
  const manage = createManage({
    db: postgres.upkeep,
    tokens: postgres.tokens,
    secrets,
    addresses,
    shares,
    turns: deps.turns,
    newSender,
    onChanged: delivery.changed,
  })
  return {
    manage,
    stop: async () => {
      await Promise.all([delivery.stop(), forgetting.stop()])
    },
  }
}
