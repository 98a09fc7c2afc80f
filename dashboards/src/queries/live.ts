/** From a committed event to the sockets. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, PANEL_WINDOW, percentile, rate, select, sumRate } from '../promql.ts'
import { query } from './query.ts'

export const sockets = query('{{instance}}', aggregate('sum', select(METRICS.liveSockets, CHOSEN), ['instance']))
export const published = query('published', sumRate(METRICS.livePublished, CHOSEN))
export const received = query('received, all instances', sumRate(METRICS.liveReceived, CHOSEN))
export const delivered = query('{{instance}}', sumRate(METRICS.liveDelivered, CHOSEN, ['instance']))
export const frames = query('frames', sumRate(METRICS.liveFrames, CHOSEN))
export const messagesPerFrame = query(
  'messages a frame',
  `${sumRate(METRICS.liveDelivered, CHOSEN)} / (${sumRate(METRICS.liveFrames, CHOSEN)} > 0)`,
)
export const delay = (share: number) => query(`p${share * 100}`, percentile(share, METRICS.liveDelay, CHOSEN))
export const closed = query('{{reason}}', sumRate(METRICS.liveClosed, CHOSEN, ['reason']))
export const slowReaders = query(
  'closed as slow',
  `sum(increase(${select(METRICS.liveClosed, { ...CHOSEN, reason: 'slow-reader' })}[${PANEL_WINDOW}]))`,
)
export const mostUnread = query(
  '{{instance}}',
  aggregate('max', select(METRICS.usage, { ...CHOSEN, resource: 'live_socket_buffer' }), ['instance']),
)
export const recoveries = query('{{result}}', sumRate(METRICS.liveRecoveries, CHOSEN, ['result']))
export const gaps = query('{{result}}', aggregate('sum', rate(METRICS.liveGaps, CHOSEN), ['result']))
export const publishFailed = query('failed', sumRate(METRICS.livePublishFailed, CHOSEN))
