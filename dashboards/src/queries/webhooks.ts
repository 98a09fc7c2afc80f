/** Events to the URLs of tenants. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, percentile, select, sumRate } from '../promql.ts'
import { query } from './query.ts'

export const attempts = query('{{result}}', sumRate(METRICS.webhookAttempts, CHOSEN, ['result']))
export const delay = (share: number) => query(`p${share * 100}`, percentile(share, METRICS.webhookDelay, CHOSEN))
export const lag = query('lag', aggregate('max', select(METRICS.webhookLag, CHOSEN)))
/** Every instance exports the same. */
export const states = query('{{state}}', aggregate('max', select(METRICS.webhooks, CHOSEN), ['state']))
export const disabled = query('{{reason}}', sumRate(METRICS.webhooksDisabled, CHOSEN, ['reason']))
