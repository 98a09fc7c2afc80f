/** Every limit of the contract: limit, use, peak and head-room. */
import { LIMIT_USE, LIMITS, type LimitName } from '@hopwhistle/contract/limits.ts'
import { anyOf, CHOSEN, type Matchers, select } from '../promql.ts'
import { RECORDED } from '../recorded-series.ts'
import { now, type Query, query } from './query.ts'

const { of: highest, label } = LIMIT_USE
const by = `${highest} by (${label})`

/** Limit, use, peak and head-room of each of these. */
export function useOf(names: readonly LimitName[]) {
  const these: Matchers = { ...CHOSEN, resource: anyOf(names) }
  return {
    limit: now(query('limit', `${by} (${select(LIMIT_USE.limit, these)})`)),
    used: now(query('now', `${by} (${select(LIMIT_USE.usage, these)})`)),
    peak: now(query('peak', `${by} (${highest}_over_time(${select(LIMIT_USE.usage, these)}[$__range]))`)),
    headRoom: now(query('head-room', `1 - ${by} (${select(RECORDED.limitUsed, these)})`)),
  }
}

export const usedShare: Query = query('{{resource}}', `${by} (${select(RECORDED.limitUsed, CHOSEN)})`)
export const nearest: Query = now(query('{{resource}}', `topk(6, ${by} (${select(RECORDED.limitUsed, CHOSEN)}))`))

/** One limit over time, in its own unit. */
export const usageOf = (resource: LimitName): Query =>
  LIMITS[resource].scope === 'instance'
    ? query('{{instance}}', `max by (instance) (${select(LIMIT_USE.usage, { ...CHOSEN, resource })})`)
    : query('all instances', `max(${select(LIMIT_USE.usage, { ...CHOSEN, resource })})`)
export const limitOf = (resource: LimitName): Query =>
  query('limit', `min(${select(LIMIT_USE.limit, { ...CHOSEN, resource })})`)
