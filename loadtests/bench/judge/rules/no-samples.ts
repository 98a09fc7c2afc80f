import { histogramCount } from '../../../scenarios/lib/histogram.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** Nothing measured is not a pass: k6 itself takes an empty latency for 0 ms. */
export const noSamples: Rule = {
  name: 'no-samples',
  check({ result, peak, scenario }) {
    if (result.runners.length === 0) return [invalid('no runner left a result')]
    if (peak.sent === 0) return [invalid('nothing was sent during the peak')]
    if (histogramCount(peak.latency) > 0) return []
    const what = scenario === 'redis-pubsub' ? 'messages' : 'requests'
    return [invalid(`no latency was recorded during the peak, though ${peak.sent} ${what} were sent`)]
  },
}
