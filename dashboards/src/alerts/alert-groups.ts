import type { Scale } from '../scale.ts'
import type { Alert } from './alert.ts'
import { burnAlerts } from './burn-rates.ts'
import { kubernetesAlerts } from './kubernetes-alerts.ts'
import { limitAlerts } from './limit-alerts.ts'
import { postgresAlerts } from './postgres-alerts.ts'
import { redisAndLiveAlerts } from './redis-and-live-alerts.ts'
import { targetAlerts } from './target-alerts.ts'
import { upkeepAlerts } from './upkeep-alerts.ts'
import { webhookAlerts } from './webhook-alerts.ts'

export type AlertGroup = { readonly name: string; readonly alerts: readonly Alert[] }

export const alertGroups = (scale: Scale): readonly AlertGroup[] => [
  { name: 'promises', alerts: burnAlerts(scale) },
  { name: 'limits', alerts: limitAlerts(scale) },
  { name: 'postgres', alerts: postgresAlerts(scale) },
  { name: 'redis-and-live', alerts: redisAndLiveAlerts(scale) },
  { name: 'upkeep', alerts: upkeepAlerts(scale) },
  { name: 'webhooks', alerts: webhookAlerts(scale) },
  { name: 'kubernetes', alerts: kubernetesAlerts(scale) },
  { name: 'targets', alerts: targetAlerts(scale) },
]
