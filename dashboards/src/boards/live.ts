import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { lines } from '../panels/panel.ts'
import { below, courseOnly, none, ofLimitAt } from '../panels/thresholds.ts'
import * as live from '../queries/live.ts'
import type { Board } from './board.ts'

const { p95Ms } = SCENARIOS['redis-pubsub'].targets.messages

export const liveBoard: Board = {
  name: 'live',
  title: 'Hopwhistle: Live',
  description: 'Sockets, deliveries, slow readers and resumes.',
  rows: [
    {
      title: 'Delivery',
      panels: [
        lines({
          title: 'From receiving an event to writing it to sockets',
          unit: 's',
          description: `Good is p95 below ${p95Ms} ms. It includes the commit, the way through Redis and the tick that joins messages.`,
          thresholds: below(p95Ms / 1000),
          queries: [live.delay(0.5), live.delay(0.95), live.delay(0.99)],
          runbook: 'live-burn',
        }),
        lines({
          title: 'Messages published and received',
          unit: 'mps',
          description: 'Good is received = published × instances that have a subscriber of that tenant.',
          thresholds: courseOnly,
          queries: [live.published, live.received],
          runbook: 'live-gaps',
        }),
        lines({
          title: 'Messages delivered',
          unit: 'mps',
          description:
            'Messages times subscribers, by instance. Good is lines that coincide: sockets are spread evenly.',
          thresholds: courseOnly,
          queries: [live.delivered],
        }),
        lines({
          title: 'Frames',
          unit: 'ops',
          description: 'Good is far below the deliveries: messages of one tick share a frame.',
          thresholds: courseOnly,
          queries: [live.frames],
        }),
        lines({
          title: 'Messages a frame',
          unit: 'x',
          description: 'Good grows with the load, so that a busy platform does not write more often.',
          thresholds: courseOnly,
          queries: [live.messagesPerFrame],
        }),
        lines({
          title: 'Publishes that failed',
          unit: 'ops',
          description: 'Good is none. The messages are not lost: the sweeper publishes them when Redis is back.',
          thresholds: none,
          queries: [live.publishFailed],
          runbook: 'redis-down',
        }),
      ],
    },
    {
      title: 'Sockets',
      panels: [
        lines({
          title: 'Open sockets',
          unit: 'none',
          description: `By instance. Good is below 80 % of ${LIMITS.websockets.value} and spread evenly.`,
          thresholds: ofLimitAt(LIMITS.websockets.value),
          queries: [live.sockets],
          runbook: 'limit-near',
        }),
        lines({
          title: 'Sockets closed, by reason',
          unit: 'ops',
          description:
            'Good is client, and restart during a deployment. slow-reader is a subscriber that reads too slowly.',
          thresholds: courseOnly,
          queries: [live.closed],
          runbook: 'slow-readers',
        }),
        lines({
          title: 'Closed as slow readers',
          unit: 'none',
          description: 'Good is none. Each client resumes where it was, and may be slow again.',
          thresholds: none,
          queries: [live.slowReaders],
          runbook: 'slow-readers',
        }),
        lines({
          title: 'Most that one subscriber has not read',
          unit: 'bytes',
          description: `By instance. Good is next to nothing; at ${LIMITS.live_socket_buffer.value / 1024 ** 2} MiB the socket is closed.`,
          thresholds: ofLimitAt(LIMITS.live_socket_buffer.value),
          queries: [live.mostUnread],
          runbook: 'slow-readers',
        }),
        lines({
          title: 'Resumes',
          unit: 'ops',
          description: 'Good is recovered. Lost means that the history was too short, and that the client was told.',
          thresholds: courseOnly,
          queries: [live.recoveries],
          runbook: 'live-gaps',
        }),
        lines({
          title: 'Gaps between Redis and an instance',
          unit: 'ops',
          description:
            'Good is none. Filled means that nothing was missed; reset means that subscribers were told to start again.',
          thresholds: none,
          queries: [live.gaps],
          runbook: 'live-gaps',
        }),
      ],
    },
  ],
}
