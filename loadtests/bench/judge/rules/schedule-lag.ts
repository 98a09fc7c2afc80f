import { SLOS } from '@hopwhistle/contract/slos.ts'
import { ms } from '@hopwhistle/platform/document/figures.ts'
import { percentileMs } from '../../../scenarios/lib/histogram.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'
import { latencyOf } from '../../evidence/totals.ts'

/** How late a publisher may be, as a part of the p95 target: latency counts from the send, and would hide the rest. */
const TOLERANCE = 0.5

/** Messages were sent when they were due. */
export const scheduleLag: Rule = {
  name: 'schedule-lag',
  check({ scenario, totals }) {
    if (scenario !== 'redis-pubsub') return []
    const late = percentileMs(latencyOf('schedule_lag', totals, 'peak'), 95)
    const allowed = SLOS[scenario].p95Ms * TOLERANCE
    if (late === undefined || late <= allowed) return []
    return [invalid(`generator: p95 of how late its publishers sent is ${ms(late)}; ${ms(allowed)} is allowed`)]
  },
}
