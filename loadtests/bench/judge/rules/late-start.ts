import { number } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

const MOST_SKEW_SECONDS = 1

/** Runners began together: else their peaks do not lie above each other and the rate was never the sum. */
export const lateStart: Rule = {
  name: 'late-start',
  check({ result: { runners } }) {
    const starts = runners.map(({ instance, startedAt }) => ({ instance, at: Date.parse(startedAt) }))
    const first = starts.reduce((a, b) => (b.at < a.at ? b : a), starts[0] ?? { instance: '', at: 0 })
    return starts
      .filter(({ at }) => at - first.at > 1000 * MOST_SKEW_SECONDS)
      .map(({ instance, at }) =>
        invalid(
          `runner ${instance} started ${number((at - first.at) / 1000, 1)} s after runner ${first.instance}; ` +
            `${MOST_SKEW_SECONDS} s is allowed`,
        ),
      )
  },
}
