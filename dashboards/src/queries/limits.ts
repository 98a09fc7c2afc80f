/** Every limit of the contract: how much there is, is used, was used at most, and is left. */
import { LIMIT_USE, LIMITS, type LimitName } from '@hopwhistle/contract/limits.ts'
import { CHOSEN, select } from '../promql.ts'
import { RECORDED } from '../rules/names.ts'
import { now, type Query, query } from './query.ts'

const { of: highest, label } = LIMIT_USE
const by = `${highest} by (${label})`
const of = (metric: string) => `${by} (${select(metric, CHOSEN)})`

export const limit = now(query('limit', of(LIMIT_USE.limit)))
export const used = now(query('now', of(LIMIT_USE.usage)))
export const peak = now(query('peak', `${by} (${highest}_over_time(${select(LIMIT_USE.usage, CHOSEN)}[$__range]))`))
export const headRoom = now(query('head-room', `1 - ${by} (${select(RECORDED.limitUsed, CHOSEN)})`))

export const usedShare: Query = query('{{resource}}', `${by} (${select(RECORDED.limitUsed, CHOSEN)})`)
export const nearest: Query = now(query('{{resource}}', `topk(6, ${by} (${select(RECORDED.limitUsed, CHOSEN)}))`))

/** One limit over time, in its own unit. */
export const usageOf = (resource: LimitName): Query =>
  LIMITS[resource].scope === 'instance'
    ? query('{{instance}}', `max by (instance) (${select(LIMIT_USE.usage, { ...CHOSEN, resource })})`)
    : query('all instances', `max(${select(LIMIT_USE.usage, { ...CHOSEN, resource })})`)
export const limitOf = (resource: LimitName): Query =>
  query('limit', `min(${select(LIMIT_USE.limit, { ...CHOSEN, resource })})`)
