import { type AlertCase, AT_LABELS, type Series, stays } from './alert-case.ts'

const burn = (slo: string, windows: Readonly<Record<string, number>>): readonly Series[] =>
  Object.entries(windows).map(([window, times]) =>
    stays('hopwhistle:slo_burn:rate', `slo="${slo}", window="${window}"`, times),
  )

type Endpoint = { readonly name: string; readonly noun: string; readonly slo: string }

const casesOf = ({ name, noun, slo }: Endpoint): readonly AlertCase[] => [
  {
    alert: `${name}BurnFast`,
    fires: burn(slo, { '1h': 15, '5m': 16 }),
    // It has ended: the hour was bad, the last five minutes were good.
    isQuiet: burn(slo, { '1h': 15, '5m': 0.5, '6h': 5, '30m': 15 }),
    afterMinutes: 5,
    labels: { ...AT_LABELS, slo, severity: 'page' },
    says: `${noun} of prod/hw use up the error budget of ${slo} 15.0 times too fast`,
  },
  {
    alert: `${name}BurnFast`,
    fires: burn(slo, { '6h': 7, '30m': 8 }),
    isQuiet: burn(slo, { '6h': 5.9, '30m': 8 }),
    afterMinutes: 5,
    labels: { ...AT_LABELS, slo, severity: 'page' },
    says: `${noun} of prod/hw use up the error budget of ${slo} 7.0 times too fast`,
  },
  {
    alert: `${name}BurnSlow`,
    fires: burn(slo, { '1d': 3.5, '2h': 4 }),
    isQuiet: burn(slo, { '1d': 3.5, '2h': 2.9, '3d': 0.9, '6h': 4 }),
    afterMinutes: 20,
    labels: { ...AT_LABELS, slo, severity: 'ticket' },
    says: `${noun} of prod/hw use up the error budget of ${slo} 3.5 times too fast`,
  },
  {
    alert: `${name}BurnSlow`,
    fires: burn(slo, { '3d': 1.2, '6h': 1.1 }),
    isQuiet: burn(slo, { '3d': 1.2, '6h': 1 }),
    afterMinutes: 20,
    labels: { ...AT_LABELS, slo, severity: 'ticket' },
    says: `${noun} of prod/hw use up the error budget of ${slo} 1.2 times too fast`,
  },
]

export const promiseCases: readonly AlertCase[] = [
  { name: 'CallEvents', noun: 'Call events', slo: 'events-p95' },
  { name: 'Reports', noun: 'Reports', slo: 'reports-success' },
  { name: 'Live', noun: 'Live delivery', slo: 'live-p99' },
].flatMap(casesOf)
