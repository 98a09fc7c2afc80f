/** Each limit and its use now, as the board Limits asks Prometheus and as the baselines document reads its samples. */
import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS, type LimitName } from '@hopwhistle/contract/limits.ts'
import { askRange } from '../../../dashboards/src/pictures/ask-prometheus.ts'
import { useOf } from '../../../dashboards/src/queries/limits.ts'
import type { Query } from '../../../dashboards/src/queries/query.ts'
import { apiFacts } from '../../bench/findings/api-facts.ts'
import { limitUse } from '../../bench/findings/resources.ts'
import { beginSampling } from '../../bench/sample/sampler.ts'
import type { MonitoredStack } from './monitored-stack.ts'

export type Use = { readonly limit: number; readonly use: number }

const SAMPLED_MS = 2_000

export async function limitsOnBoard({ prometheusUrl }: MonitoredStack): Promise<Readonly<Record<string, Use>>> {
  const now = Date.now() / 1000
  const ask = async ({ expr }: Query) => {
    const answer = await askRange(prometheusUrl, expr, { fromSeconds: now - SAMPLED_MS / 1000, toSeconds: now })
    return new Map(answer.map(({ metric, values }) => [metric.resource ?? '', Number(values.at(-1)?.[1])]))
  }
  const of = useOf(Object.keys(LIMITS) as LimitName[])
  const [limit, peak] = [await ask(of.limit), await ask(of.used)]
  return Object.fromEntries(
    (Object.keys(LIMITS) as LimitName[]).map((resource) => [
      resource,
      { limit: limit.get(resource) ?? Number.NaN, use: peak.get(resource) ?? Number.NaN },
    ]),
  )
}

export async function limitsInDocument({ details }: MonitoredStack): Promise<Readonly<Record<string, Use>>> {
  const sampler = await beginSampling({ api: details.api }, 500)
  await sleep(SAMPLED_MS)
  const server = await sampler.end()
  const api = apiFacts('reporting-endpoints', server, (series) =>
    typeof series === 'number' ? [series] : (series ?? []).filter((value) => value !== null),
  )
  return Object.fromEntries(
    (Object.keys(LIMITS) as LimitName[]).map((resource) => {
      const { limit = Number.NaN, peak = Number.NaN } = limitUse(api === undefined ? {} : { api }, resource) ?? {}
      return [resource, { limit, use: peak }]
    }),
  )
}
