import { number } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'
import { trafficOf } from '../../evidence/totals.ts'

/** How far from an even share a runner's load may be, as a part of that share. */
const TOLERANCE = 0.05

/**
 * Every runner carried its part of the load. A publisher is never divided, so that the part of a runner may be one
 * publisher more or less than even.
 */
export const unequalShares: Rule = {
  name: 'unequal-shares',
  check({ result: { runners, expectedRunners }, scenario, peak }) {
    if (runners.length < 2 || peak.sent === 0) return []
    const even = peak.sent / runners.length
    return runners.flatMap((runner) => {
      const { sent } = trafficOf(scenario, runner, 'peak')
      const publishers = Number(runner.settings.publishers ?? 0)
      const indivisible = publishers > 0 ? peak.sent / publishers : 0
      const maxVUs = Number(runner.settings.maxVUs ?? 0)
      if (Math.abs(sent - even) <= Math.max(even * TOLERANCE, indivisible)) return []
      return [
        invalid(
          `runner ${runner.instance} sent ${number(sent)} of ${number(peak.sent)} during the peak; ` +
            `an even share is ${number(even)}${maxVUs % expectedRunners === 0 ? '' : indivisibleVUs(maxVUs, expectedRunners)}`,
        ),
      ]
    })
  },
}

/** The scenarios round their virtual users up to a multiple of PARALLELISM, so that every runner gets as many. */
const indivisibleVUs = (maxVUs: number, runners: number): string =>
  `, but k6 divides the load as its ${number(maxVUs)} virtual users: is PARALLELISM ${number(runners)}?`
