/**
 * Runners of one test begin their load together, however long it takes to start one after the other.
 *
 * ready ──the first runner has seen every other ready──▶ go ──the others see that at their next look──▶ load
 *
 * They look at each other through k6's REST API, where each shows a metric once it has come so far. No clocks are
 * compared, so those of their machines may differ.
 */
import { sleep } from 'k6'
import exec from 'k6/execution'
import http, { type ObjectBatchRequest, type Response } from 'k6/http'
import { Gauge } from 'k6/metrics'
import { startWithinSeconds } from './lib.phases.ts'
import type { CommonSettings } from './lib.settings.ts'
import { setupRequests } from './lib.k6.setup-requests.ts'

const READY = 'start_ready'
const GO = 'start_go'
const ready = new Gauge(READY)
const go = new Gauge(GO)

const FIRST = 1
/** All others look at the first runner, so with many of them each looks less often. */
const lookEverySeconds = (runners: number): number => Math.max(0.1, runners / 1000)

/** Returns when every runner is ready, or ends the test and says which one is not. */
export function startTogether({ parallelism, together }: CommonSettings): void {
  if (together === undefined || parallelism === 1) return
  ready.add(1)
  const isFirst = together.runner === FIRST
  const awaited = isFirst ? Array.from({ length: parallelism - 1 }, (_, i) => i + 1 + FIRST) : [FIRST]
  // The others may have been started long before the first.
  const seconds = startWithinSeconds(parallelism) * (isFirst ? 1 : 2)
  const missing = notSeen(awaited, together.url, isFirst ? READY : GO, Date.now() + 1000 * seconds, parallelism)
  if (missing.length > 0) {
    const more = missing.length === 1 ? '' : ` and ${missing.length - 1} more`
    const what = isFirst ? 'not ready' : 'not told that all are ready'
    const who = isFirst ? `runner ${missing[0]}${more}` : `runner ${together.runner}`
    exec.test.abort(`${who}: ${what} within ${seconds} s, so that runners cannot begin together`)
  }
  if (isFirst) go.add(1)
}

/** Looks until all of these runners show a metric, or the time is over. @returns those that do not */
function notSeen(runners: number[], url: string, metric: string, deadline: number, parallelism: number): number[] {
  let left = runners
  for (;;) {
    const answers = http.batch(
      left.map((runner): ObjectBatchRequest => {
        return { method: 'GET', url: `${url.replace('{}', String(runner))}/v1/metrics/${metric}`, params: LOOK }
      }),
    )
    setupRequests.add(left.length)
    left = left.filter((_, i) => (answers[i] as Response | undefined)?.status !== 200)
    if (left.length === 0 || Date.now() > deadline) return left
    sleep(lookEverySeconds(parallelism))
  }
}

/** The answer is 404 until a runner is that far. */
const LOOK = { responseCallback: http.expectedStatuses(200, 404), timeout: '2s', tags: { name: 'setup' } }
