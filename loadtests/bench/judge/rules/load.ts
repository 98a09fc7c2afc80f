/** Whether the load was the one that was asked for. */

import { rateOf, TRAFFIC, targetsOf } from '@hopwhistle/contract/scenarios.ts'
import { ms, number, plural } from '@hopwhistle/platform/document/figures.ts'
import { percentileMs } from '../../../scenarios/lib/histogram.ts'
import { offeredPerSecond, provesTargets } from '../../../scenarios/lib/profiles.ts'
import { countOf, latencyOf } from '../../../scenarios/lib/totals.ts'
import { invalid, type Rule, remark } from '../../evidence/evidence.ts'
import { measuredWithUnit } from '../../evidence/metric-text.ts'
import { PHASES, trafficOf } from '../../evidence/traffic.ts'

/**
 * The test was shaped as large as the targets are: less load proves nothing about them. A step of the search for the
 * largest rate that holds is about its own, smaller rate; its subscribers and publishers are those of the target.
 */
export const smallerLoad: Rule = {
  name: 'smaller-load',
  check({ result, scenario, part }) {
    const [runner] = result.runners
    if (runner === undefined || !provesTargets(result.profile)) return []
    const { settings } = runner
    const { messages } = targetsOf(scenario)
    const needed: [what: string, given: number | undefined, needed: number][] = []
    if (part === 'whole') {
      needed.push(['requests or messages a second', settings.targetPerSecond, rateOf(scenario)])
    }
    if (messages !== undefined) {
      needed.push(['subscribers', settings.subscribers, messages.subscribers])
      needed.push(['publishers', settings.publishers, messages.publishers])
    }
    return needed.flatMap(([what, given, least]) =>
      given === undefined || given >= least
        ? []
        : [invalid(`the test was set to ${number(given)} ${what}; the target is about ${number(least)}`)],
    )
  },
}

/** Nothing that was due to be sent was left out. */
export const droppedIterations: Rule = {
  name: 'dropped-iterations',
  check({ totals, result: { runners } }) {
    const reasons = []
    const dropped = countOf(totals, 'k6_dropped_iterations')
    if (dropped > 0) {
      const most = runners.reduce((sum, { settings }) => Math.max(sum, settings.maxVUs ?? 0), 0)
      // Those of live delivery wait for no answers.
      const { publishers = 0, subscriberVUs = 0 } = runners[0]?.settings ?? {}
      const used = countOf(totals, 'k6_vus_max') - publishers - subscriberVUs
      const why =
        most > 0 && used >= most
          ? `: all ${number(most)} virtual users were waiting for answers`
          : `, with ${number(used)} of ${number(most)} virtual users in use`
      reasons.push(invalid(`generator: k6 dropped ${plural(dropped, 'iteration')}${most > 0 ? why : ''}`))
    }
    const unsent = PHASES.reduce((sum, phase) => sum + countOf(totals, `publish_dropped_${phase}`), 0)
    if (unsent > 0) {
      reasons.push(
        invalid(`generator: ${plural(unsent, 'message')} not sent, for too many posts of a publisher were unanswered`),
      )
    }
    return reasons
  },
}

/** The generator sent at least the rate that the target asks for, whatever became of what it sent. */
export const offeredRate: Rule = {
  name: 'offered-rate',
  check({ scenario, kinds, totals, peakSeconds, targetPerSecond, result }) {
    const [runner] = result.runners
    if (runner === undefined || peakSeconds <= 0) return []
    return kinds.flatMap((kind) => {
      const sent = trafficOf(kind, totals, 'peak').sent / peakSeconds
      const target = rateOf(scenario, kind, targetPerSecond)
      if (sent === 0 || sent >= target) return []
      const isFirst = kind === kinds[0]
      const offered = isFirst ? runner.settings.offeredPerSecond : offeredPerSecond(target)
      const whose = isFirst ? '' : ` ${TRAFFIC[kind].many}`
      return [
        invalid(
          `generator: ${number(sent, 1)}${whose} a second were sent during the peak; ` +
            `${number(offered)} were to be offered and the target needs ${number(target)}`,
        ),
      ]
    })
  },
}

/** How late a publisher may be, as a part of the p95 target: latency counts from the send, and would hide the rest. */
const TOLERANCE = 0.5

/** Messages were sent when they were due. */
export const scheduleLag: Rule = {
  name: 'schedule-lag',
  check({ scenario, totals }) {
    const { messages } = targetsOf(scenario)
    if (messages === undefined) return []
    const late = percentileMs(latencyOf('schedule_lag', totals, 'peak'), 95)
    if (late === undefined && countOf(totals, 'messages_published_peak') > 0) {
      return [invalid('generator: it is not known how late its publishers sent')]
    }
    const allowed = messages.p95Ms * TOLERANCE
    if (late === undefined || late <= allowed) return []
    return [invalid(`generator: p95 of how late its publishers sent is ${ms(late)}; ${ms(allowed)} is allowed`)]
  },
}

const PERCENTS = { p50: 50, p95: 95, p99: 99 } as const
/** From this part on, a latency is rather the generator's than the platform's. */
const MOSTLY = 0.5

/** A latency beyond its target was not spent inside k6, waiting for a subscriber's turn. */
export const receiveLag: Rule = {
  name: 'receive-lag',
  check({ metrics, totals, kinds }) {
    const lag = latencyOf('receive_lag', totals, 'peak')
    return metrics.flatMap((metric) => {
      if (metric.status !== 'missed' || metric.of !== undefined || !(metric.name in PERCENTS)) return []
      const inside = percentileMs(lag, PERCENTS[metric.name as keyof typeof PERCENTS])
      if (inside === undefined && kinds[0] === 'messages' && metric.measured !== undefined) {
        return [invalid(`generator: of ${metric.label}, it is not known how long frames waited inside k6`)]
      }
      if (inside === undefined || inside < MOSTLY * (metric.measured ?? 0)) return []
      return [
        invalid(`generator: of ${metric.label} ${measuredWithUnit(metric)}, frames waited ${ms(inside)} inside k6`),
      ]
    })
  },
}

/** A smoke run shows that everything works together, and says so. */
export const smokeProfile: Rule = {
  name: 'smoke-profile',
  check({ result: { profile } }) {
    return provesTargets(profile) ? [] : [remark(`profile ${profile} proves nothing about the targets`)]
  },
}
