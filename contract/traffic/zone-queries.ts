/** What the scenario of zones asks for: metrics in time zones, with filters and in groups, over ranges that vary. */
import { CALL_DIRECTIONS } from '../calls.ts'
import { metricsQuery, pick, type Random, rangeMs } from './report-queries.ts'

/** The names in the histograms: `report_latency_<endpoint>_<phase>`. */
export const ZONE_ENDPOINTS = ['zoned', 'filtered', 'grouped'] as const
export type ZoneEndpoint = (typeof ZONE_ENDPOINTS)[number]

/** Of ten requests, two have filters, two have groups, and the others are in time zones. */
export const zoneEndpointOf = (iteration: number): ZoneEndpoint =>
  iteration % 5 === 1 ? 'filtered' : iteration % 5 === 3 ? 'grouped' : 'zoned'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** With whole, half and three quarters of hours, on both sides of UTC, with and without daylight saving time. */
export const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'America/Los_Angeles',
  'America/St_Johns',
  'America/Sao_Paulo',
  'Africa/Lagos',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
] as const

/** From each granularity to the longest range that it is asked for, in days. */
const LONGEST_DAYS = { hour: 14, day: 30, week: 30, month: 30 } as const
const GRANULARITIES = ['hour', 'day', 'week', 'month'] as const

/** Of the demo data: what many calls have, and what few have. */
const LABELS = ['campaign:spring-sale', 'campaign:partners', 'campaign:', 'source:search', 'agent:agent-07'] as const
const STATES = ['COMPLETED', 'NO_ANSWER', 'BUSY'] as const
const GROUPS = ['direction', 'state', 'from', 'to', 'label:campaign', 'label:source', 'label:agent'] as const
/** Filters and groups read the calls themselves, so that their ranges are shorter: as far as somebody looks at today. */
const READ_HOURS = 12

export function zoneQuery(endpoint: ZoneEndpoint, random: Random, nowMs: number): string {
  switch (endpoint) {
    case 'zoned':
      return zonedQuery(random, nowMs)
    case 'filtered':
      return `${readQuery(random, nowMs)}&${filter(random)}`
    case 'grouped': {
      const group = `${readQuery(random, nowMs)}&groupBy=${encodeURIComponent(pick(random, GROUPS))}`
      return random() < 0.25 ? `${group}&include=callers` : group
    }
  }
}

function zonedQuery(random: Random, nowMs: number): string {
  const granularity = pick(random, GRANULARITIES)
  const days = 1 + random() * (LONGEST_DAYS[granularity] - 1)
  const query = metricsQuery(granularity, rangeMs(random, nowMs, days * DAY_MS))
  const week = granularity === 'week' && random() < 0.5 ? '&weekStart=sunday' : ''
  return `${query}&timezone=${encodeURIComponent(pick(random, ZONES))}${week}`
}

/** Half of them in a time zone. */
function readQuery(random: Random, nowMs: number): string {
  const query = metricsQuery('hour', rangeMs(random, nowMs, (1 + random() * (READ_HOURS - 1)) * HOUR_MS))
  return random() < 0.5 ? query : `${query}&timezone=${encodeURIComponent(pick(random, ZONES))}`
}

function filter(random: Random): string {
  const kind = random()
  if (kind < 0.5) return `label=${encodeURIComponent(pick(random, LABELS))}`
  if (kind < 0.8) return `state=${pick(random, STATES)}`
  return `direction=${pick(random, CALL_DIRECTIONS)}&state=${pick(random, STATES)}`
}
