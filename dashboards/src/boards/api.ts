import { callEvents } from './api/call-events.ts'
import { instanceRow } from './api/instances.ts'
import { reportRow } from './api/reports.ts'
import { requests } from './api/requests.ts'
import { upkeepRow } from './api/upkeep.ts'
import { webhookRow } from './api/webhooks.ts'
import type { Board } from './board.ts'

export const api: Board = {
  name: 'api',
  title: 'Hopwhistle: API',
  description: 'Requests to the instances, their answers, and the resources that they use.',
  rows: [requests, callEvents, reportRow, upkeepRow, webhookRow, instanceRow],
}
