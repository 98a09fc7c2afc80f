/** Every limit of the contract: how much there is, is used, was used at most, and is left. */
import { LIMITS, type LimitName } from '@hopwhistle/contract/limits.ts'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { CHOSEN, select } from '../promql.ts'
import { RECORDED } from '../rules/names.ts'
import { now, type Query, query } from './query.ts'

const of = (metric: string) => `max by (resource) (${select(metric, CHOSEN)})`

export const limit = now(query('limit', of(METRICS.limit)))
export const used = now(query('now', of(METRICS.usage)))
export const peak = now(query('peak', `max by (resource) (max_over_time(${select(METRICS.usage, CHOSEN)}[$__range]))`))
export const headRoom = now(query('head-room', `1 - max by (resource) (${select(RECORDED.limitUsed, CHOSEN)})`))

export const usedShare: Query = query('{{resource}}', `max by (resource) (${select(RECORDED.limitUsed, CHOSEN)})`)
export const nearest: Query = now(
  query('{{resource}}', `topk(6, max by (resource) (${select(RECORDED.limitUsed, CHOSEN)}))`),
)

/** One limit over time, in its own unit. */
export const usageOf = (resource: LimitName): Query =>
  LIMITS[resource].scope === 'instance'
    ? query('{{instance}}', `max by (instance) (${select(METRICS.usage, { ...CHOSEN, resource })})`)
    : query('all instances', `max(${select(METRICS.usage, { ...CHOSEN, resource })})`)
export const limitOf = (resource: LimitName): Query =>
  query('limit', `min(${select(METRICS.limit, { ...CHOSEN, resource })})`)
