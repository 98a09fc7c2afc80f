import { number } from '../../platform/document/figures.ts'
import { minute, table } from '../../platform/document/markdown.ts'
import type { ExperimentResult } from '../overload/experiment.ts'
import type { SoakResult } from '../soak/run-soak.ts'
import { RESOURCES, type Resource } from '../soak/watch-resources.ts'
import { networkFaults } from './network.ts'
import { problemsOf } from './problems-of.ts'
import type { FaultResult } from './run-fault.ts'

export type ReliabilityRun = {
  readonly machine: string
  readonly faults: readonly {
    readonly name: string
    readonly measuredAt: string
    readonly perSecond: number
    readonly ownNetwork?: boolean
    readonly result: FaultResult
  }[]
  readonly overload?: readonly { readonly result: ExperimentResult }[]
  readonly soak?: { readonly result: SoakResult } | undefined
}

const LOST_PACKETS = `Half-open connections and lost packets are the kernel's doing, in a network namespace of the test's own: on the way from the
API to a server packets are dropped, all of them or every fiftieth, so that a new connection gets no answer and TCP sends again
what is lost. What was connected before stays silent for ever. The time that a long way takes is made by a proxy between them.`

const HELD_PACKETS = `Half-open connections and long ways are made by a proxy of ours between the API and each server; it cannot lose packets, so
that a lost one is what programs see of it: a wait until it is sent again, and everything behind it waits as well.`

/** What another machine measured says nothing about this one. */
const NOT_MEASURED = 'Not measured on this machine yet: `make chaos` does.'

/** docs/reliability.md */
export function renderReliability({ machine, faults, overload = [], soak }: ReliabilityRun): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const counts = (by: Readonly<Record<string, number>>) =>
    Object.entries(by)
      .map(([status, count]) => `${count} × ${status === 'none' ? 'no answer' : status}`)
      .join(', ') || 'none'
  const rows = faults.map(({ result, perSecond }) => [
    result.title,
    `${result.heldPerSecond}/s of ${perSecond}`,
    counts(result.refusals),
    counts(result.reports.failures),
    seconds(result.slowestMs),
    seconds(result.recoveredAfterMs),
    String(result.lost.length),
    String(result.live.toldGaps),
    problemsOf(result).length === 0 ? '✅' : `❌ ${problemsOf(result).join('; ')}`,
  ])
  const asked = overload.map(({ result: { title, figures, problems } }) => [
    title,
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

What the platform survives${measured} on ${machine}: three API instances behind one
port, a Postgres primary with a streaming replica, and Redis, all on one machine with their load of call events, ten reports
a second and three live subscribers. Each event is written down by its sender, sent again with the same id until it is
acknowledged, and looked up in Postgres afterwards, row by row. What is killed is started again, as any supervisor does;
nothing else is restarted or mended by hand, and each fault comes to what the ones before have left.

${rows.length === 0 ? NOT_MEASURED : table(head, rows, [1, 4, 5, 6, 7])}

- **Held**: events acknowledged a second while it lasted, of those that were due. What comes late still comes.
- **Refused at first**: what senders got for an event before it was taken. "No answer" is a connection that ended, or ten
  seconds without a word. A sender has 800 events under way at most; the others wait for their turn.
- **Reports**: those that were not answered with 200.
- **Slowest**: the longest from when an event was due to its acknowledgement, waits and repetitions included.
- **Recovered after**: from the end of the fault until no event was refused, or waited for more than a second, any more.
- **Lost**: acknowledged, and not in Postgres. Must be 0.
- **Gaps**: times that a subscriber was told that it may have missed something (\`recovered: false\`). In silence: never.
- **Holds**: nothing lost, nothing stored that was not sent, every event taken in the end, refusals honest (429 or 503
  with Retry-After, or no answer), rollups equal to what the calls add up to, every subscriber got every message once and in order
  or was told, and all was well within 20 s of the fault's end.

${ofNetwork.length === 0 ? '' : `${howPackets}\n`}The disk is a file system of 1.5 GB in memory. Clocks are stepped where the API asks for the time of day, for no program can
have a clock of its own.

## Overload and abuse

${asked.length === 0 ? NOT_MEASURED : table(['What', 'Measured', 'Holds'], asked)}

Ten times the capacity is sent to one instance whose capacity is made small (one batch of four events at a time, to a primary
10 ms away) from a process of its own, so that the same machine can send that much; 80 % of the peak must still be taken, refusals take 50 ms at
most (p95, as their sender sees it), and latency be back to normal 5 s after. For the others, a sender who behaves must not notice:
nothing of it refused, no event waiting for longer than 1.5 s.
${soak === undefined ? '' : soakSection(soak.result)}`
}

function soakSection({ minutes, perSecond, sent, lost, reports, subscribers, trends, problems }: SoakResult): string {
  const rows = Object.entries(trends).map(([name, { mean, rise, low, high }]) => {
    const { title, unit } = RESOURCES[name as Resource]
    const figure = (value: number) => value.toFixed(1)
    return [unit === '' ? title : `${title}, ${unit}`, figure(mean), figure(rise), `${figure(low)} to ${figure(high)}`]
  })
  return `
## Soak

${perSecond} events a second, ${Math.round(reports / minutes / 60)} reports a second and ${subscribers} subscribers for ${minutes} minutes: ${number(sent)} events, ${lost} lost.
${problems.length === 0 ? 'Nothing grows beyond its noise.' : `❌ ${problems.join('; ')}.`}

![What the platform uses while it runs](soak.svg)

${table(['Resource', 'Mean', 'Rise of the trend', 'With 99 % confidence between'], rows, [1, 2, 3])}

Before it there is twice the load for half a minute, so that pools and heaps have taken what a bad moment asks for. The first
third is left out of the table as well: caches and the five minutes of live history fill then. The line goes through
the means of twenty parts of the rest. What is flat has a slope within its noise, which is small enough that a rise by a tenth
of the mean would be seen.

A process keeps memory that it once took, whether it needs it or not. So one of the three instances collects all its garbage every
20 seconds and tells what is left, with the buffers that it holds: what leaks would be there. Memory is that of the other two.
`
}
