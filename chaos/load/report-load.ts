import { setTimeout as sleep } from 'node:timers/promises'
import { ROUTES } from '../../contract/routes.ts'

export type ReportLoad = {
  /** Stops. @returns how often each status was answered, `none` where no answer came */
  stop(): Promise<ReportFigures>
}
export type ReportFigures = {
  readonly asked: number
  readonly failures: Readonly<Record<string, number>>
  readonly slowestMs: number
}

const TICK_MS = 10
/** Reports in flight at most; further due reports wait. */
const UNDER_WAY_MAX = 20
const ANSWER_WITHIN_MS = 32_000
const HOUR_MS = 3_600_000

/** Requests reports at a steady rate, each different from the last, so that the cache does not answer all. */
export function startReportLoad(apiUrl: string, apiKey: string, perSecond = 10): ReportLoad {
  const startedAt = performance.now()
  const failures: Record<string, number> = {}
  const underWay = new Set<Promise<void>>()
  let asked = 0
  let slowestMs = 0
  let stopped = false

  async function ask(path: string): Promise<void> {
    const began = performance.now()
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
    const answer = await fetch(`${apiUrl}${path}`, { headers: { 'x-api-key': apiKey }, signal }).catch(() => undefined)
    await answer?.arrayBuffer().catch(() => {})
    slowestMs = Math.max(slowestMs, performance.now() - began)
    if (answer?.ok === true) return
    const mayComeAgain = answer?.status === 429 || answer?.status === 503
    const what = mayComeAgain && !answer.headers.has('retry-after') ? `${answer.status} without Retry-After` : undefined
    const key = what ?? String(answer?.status ?? 'none')
    failures[key] = (failures[key] ?? 0) + 1
  }
  const asking = (async () => {
    while (!stopped) {
      const isDue = asked < ((performance.now() - startedAt) / 1000) * perSecond
      if (!isDue || underWay.size >= UNDER_WAY_MAX) {
        await sleep(TICK_MS)
        continue
      }
      asked += 1
      const to = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS + HOUR_MS)
      const from = new Date(to.getTime() - (1 + (asked % 200)) * HOUR_MS)
      const one: Promise<void> = ask(
        asked % 2 === 0
          ? `${ROUTES.reportMetrics}?granularity=hour&from=${from.toISOString()}&to=${to.toISOString()}`
          : `${ROUTES.reportCalls}?limit=${1 + (asked % 50)}&startedFrom=${from.toISOString()}`,
      ).finally(() => underWay.delete(one))
      underWay.add(one)
    }
  })()

  return {
    stop: async () => {
      stopped = true
      await asking
      await Promise.all(underWay)
      return { asked, failures, slowestMs }
    },
  }
}
