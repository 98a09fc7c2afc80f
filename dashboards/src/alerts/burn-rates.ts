/**
 * Alerts on the burn rates of the error budgets. A long window makes an alert certain; a short window ends it soon after
 * the problem (multiwindow, multi-burn-rate alerts, Google's SRE Workbook, chapter 5).
 */

import { select } from '../promql.ts'
import { RECORDED } from '../recorded-series.ts'
import type { RunbookName } from '../runbook-names.ts'
import { type Duration, type Scale, scaled } from '../scale.ts'
import type { Endpoint } from '../slis.ts'
import type { Alert, Severity, Signal } from './alert.ts'

type Burn = { readonly times: number; readonly long: Duration; readonly short: Duration }

/** As in production. A smaller scale divides the windows; their names stay the same. */
export const BURNS: Readonly<Record<Severity, readonly Burn[]>> = {
  // 2 % of the budget of 30 days within an hour, or 5 % within six.
  page: [
    { times: 14.4, long: '1h', short: '5m' },
    { times: 6, long: '6h', short: '30m' },
  ],
  // 10 % within a day or three.
  ticket: [
    { times: 3, long: '1d', short: '2h' },
    { times: 1, long: '3d', short: '6h' },
  ],
}

export const WINDOWS: readonly Duration[] = ['5m', '30m', '1h', '2h', '6h', '1d', '3d']

const BY = ['namespace', 'release', 'slo'] as const

const ABOUT: Readonly<
  Record<
    Endpoint,
    { readonly name: string; readonly noun: string; readonly board: Alert['board']; readonly runbook: RunbookName }
  >
> = {
  events: { name: 'CallEvents', noun: 'Call events', board: 'api', runbook: 'call-events-burn' },
  reports: { name: 'Reports', noun: 'Reports', board: 'api', runbook: 'reports-burn' },
  live: { name: 'Live', noun: 'Live delivery', board: 'live', runbook: 'live-burn' },
}

const SPEED = { page: 'Fast', ticket: 'Slow' } as const

function burnAlert(endpoint: Endpoint, severity: Severity, scale: Scale): Alert {
  const { name, noun, board, runbook } = ABOUT[endpoint]
  const burning = (times: number, window: Duration): Signal => ({
    query: `max by (${BY.join(', ')}) (${select(RECORDED.burn, { slo: `=~${endpoint}-.*`, window })})`,
    is: '>',
    value: times,
  })
  return {
    name: `${name}Burn${SPEED[severity]}`,
    severity,
    by: BY,
    when: BURNS[severity].map(({ times, long, short }) => [burning(times, long), burning(times, short)]),
    lasting: scaled(severity === 'page' ? '2m' : '15m', scale),
    needs: 'stack',
    summary: `${noun} of {{ $labels.namespace }}/{{ $labels.release }} use up the error budget of {{ $labels.slo }} {{ $value | printf "%.1f" }} times too fast`,
    meaning:
      severity === 'page'
        ? 'Users notice it now. The objective for the whole period is missed within hours to two days.'
        : 'Users hardly notice it, but if it goes on, the objective for this period is missed.',
    runbook,
    board,
  }
}

export const burnAlerts = (scale: Scale): readonly Alert[] =>
  (['events', 'reports', 'live'] as const).flatMap((endpoint) => [
    burnAlert(endpoint, 'page', scale),
    burnAlert(endpoint, 'ticket', scale),
  ])
