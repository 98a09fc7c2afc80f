import { number } from '../platform/document/figures.ts'
import { minute, table } from '../platform/document/markdown.ts'
import { networkFaults } from './faults/network.ts'
import { problemsOf } from './faults/problems-of.ts'
import type { FaultResult } from './faults/run-fault.ts'
import type { ExperimentResult } from './overload/experiment.ts'
import type { SoakResult } from './soak/run-soak.ts'
import { RESOURCES, type Resource } from './soak/watch-resources.ts'

export type ReliabilityRun = {
  readonly faults: readonly (On & {
    readonly name: string
    readonly measuredAt: string
    readonly perSecond: number
    readonly ownNetwork?: boolean
    readonly result: FaultResult
  })[]
  readonly overload?: readonly (On & { readonly result: ExperimentResult })[]
  readonly soak?: (On & { readonly result: SoakResult }) | undefined
}

type On = { readonly machine: string }

const LOST_PACKETS = `The kernel drops packets between the API and a server, in a network namespace of the test's own. For half-open connections it
drops all of them, so a new connection gets no answer; for 2 % loss it drops every fiftieth, and TCP sends that one again. A
connection that was open before it was half-open stays silent for ever. A proxy between API and server adds the delay.`

const HELD_PACKETS = `A proxy between the API and each server makes half-open connections and adds delay. It cannot lose packets, so it does what a
program sees of a lost one: it delays that data, as until TCP sends it again, and all data behind it.`

const NOT_MEASURED = 'Not measured yet: run `make chaos`.'

/** docs/reliability.md */
export function renderReliability({ faults, overload = [], soak }: ReliabilityRun): string {
  const machines = [
    ...new Set([...faults, ...overload, ...(soak === undefined ? [] : [soak])].map((one) => one.machine)),
  ]
  /** Marks what was not measured on the first machine. */
  const mark = ({ machine }: On) => (machine === machines[0] ? '' : ` [${machines.indexOf(machine)}]`)
  const marks = machines.slice(1).map((machine, i) => `[${i + 1}] Measured on ${machine}.\n`)
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const counts = (by: Readonly<Record<string, number>>) =>
    Object.entries(by)
      .map(([status, count]) => `${count} × ${status === 'none' ? 'no answer' : status}`)
      .join(', ') || 'none'
  const rows = faults.map(({ result, perSecond, machine }) => [
    result.title + mark({ machine }),
    `${result.heldPerSecond}/s of ${perSecond}`,
    counts(result.refusals),
    counts(result.reports.failures),
    seconds(result.slowestMs),
    seconds(result.recoveredAfterMs),
    String(result.lost.length),
    String(result.live.toldGaps),
    problemsOf(result).length === 0 ? '✅' : `❌ ${problemsOf(result).join('; ')}`,
  ])
  const asked = overload.map(({ result: { title, figures, problems }, machine }) => [
    title + mark({ machine }),
    figures,
    problems.length === 0 ? '✅' : `❌ ${problems.join('; ')}`,
  ])
  const networkNames = networkFaults.map(({ name }) => name)
  const ofNetwork = faults.filter(({ name }) => networkNames.includes(name))
  const howPackets = ofNetwork.every(({ ownNetwork }) => ownNetwork === true) ? LOST_PACKETS : HELD_PACKETS
  const times = faults.map(({ measuredAt }) => measuredAt).sort()
  const measured = times.length === 0 ? '' : `, measured ${minute(times[0]!)} to ${minute(times.at(-1)!)}`
  const head = ['Fault', 'Held', 'Refused at first', 'Reports', 'Slowest', 'Recovered after', 'Lost', 'Gaps', 'Holds']
  return `# Reliability

<!-- Written by \`make chaos\`. Changes made here are lost. -->

What the platform survives${measured}${machines.length === 0 ? '' : ` on ${machines[0]}`}: three API instances behind one
port, a Postgres primary with a streaming replica, and Redis. The load runs on the same machine: call events, ten reports a
second and three live subscribers. The sender records each event, repeats it with the same id until it is acknowledged, and
afterwards the test looks for each one in Postgres. A server that ended is started again, as a supervisor does. Nothing else is
repaired, and the next fault hits the platform as the faults before left it.

${rows.length === 0 ? NOT_MEASURED : table(head, rows, [1, 4, 5, 6, 7])}

- **Held**: events acknowledged a second during the fault, of those due. The others were acknowledged later.
- **Refused at first**: events whose first attempt failed, by answer. "No answer" means that the connection ended, or that ten
  seconds passed. At most 800 events are in flight; the others wait.
- **Reports**: reports that were not answered with 200.
- **Slowest**: the longest time from when an event was due to its acknowledgement, waits and retries included.
- **Recovered after**: from the end of the fault until the last refusal, or the last event that waited for more than a second.
- **Lost**: events that were acknowledged but are not in Postgres. Must be 0.
- **Gaps**: how often a subscriber was told that it may have missed messages (\`recovered: false\`).
- **Holds**: no event lost, none stored that was not sent, and every event accepted in the end; refusals only as 429 or
  503 with Retry-After, or as no answer; rollups equal to the calls; every subscriber got every message once and in order, or was told of
  a gap; and recovery within 20 s of the fault's end.

${ofNetwork.length === 0 ? '' : `${howPackets}\n`}The disk is a file system of 1.5 GB in memory. Linux has no clock per process, so the test replaces \`Date\` in the API.

## Overload and abuse

${asked.length === 0 ? NOT_MEASURED : table(['What', 'Measured', 'Holds'], asked)}

Ten times the capacity: the instance commits one batch of four events at a time, to a primary 10 ms away. Its capacity is then
so small that a process on the same machine can send ten times as much. The instance must still take 80 % of its peak, refuse
within 50 ms (p95, as the sender sees it), and return to normal latency within 5 s. In the other rows, a second sender must not
notice: none of its events is refused, and none waits longer than 1.5 s.
${soak === undefined ? '' : soakSection(soak.result, mark(soak))}${marks.length === 0 ? '' : `\n${marks.join('\n')}`}`
}

function soakSection(
  { minutes, perSecond, sent, lost, reports, subscribers, trends, problems }: SoakResult,
  mark: string,
): string {
  const rows = Object.entries(trends).map(([name, { mean, rise, low, high }]) => {
    const { title, unit } = RESOURCES[name as Resource]
    const figure = (value: number) => value.toFixed(1)
    return [unit === '' ? title : `${title}, ${unit}`, figure(mean), figure(rise), `${figure(low)} to ${figure(high)}`]
  })
  return `
## Soak${mark}

${perSecond} events a second, ${Math.round(reports / minutes / 60)} reports a second and ${subscribers} subscribers for ${minutes} minutes: ${number(sent)} events, ${lost} lost.
${problems.length === 0 ? 'Nothing grows beyond its noise.' : `❌ ${problems.join('; ')}.`}

![What the platform uses while it runs](soak.svg)

${table(['Resource', 'Mean', 'Rise of the trend', 'With 99 % confidence between'], rows, [1, 2, 3])}

Twice the load runs for half a minute first, so that pools and heaps reach their size under peak load. The table leaves out the
first 30 %, in which caches and the five minutes of live history fill. The rest is cut into twenty parts; the trend is a line
through their means. A resource is flat when its slope is within the noise, and the noise is small enough to show a rise by a
tenth of the mean.

A process keeps memory that it once took, whether it needs it or not. So one of the three instances collects all its garbage
every 20 seconds and reports what is left, buffers included: a leak would show there. "Memory" is that of the other two.
`
}
