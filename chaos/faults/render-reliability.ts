import { minute, table } from '../../loadtests/bench/document/markdown.ts'
import { type FaultResult, problemsOf } from './run-fault.ts'

export type ReliabilityRun = {
  readonly measuredAt: string
  readonly machine: string
  readonly perSecond: number
  readonly results: readonly FaultResult[]
}

/** docs/reliability.md */
export function renderReliability({ measuredAt, machine, perSecond, results }: ReliabilityRun): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const rows = results.map((result) => [
    result.title,
    String(result.sent),
    Object.entries(result.refusals)
      .map(([status, count]) => `${count} × ${status === 'none' ? 'no answer' : status}`)
      .join(', ') || 'none',
    seconds(result.slowestMs),
    seconds(result.recoveredAfterMs),
    String(result.lost.length),
    problemsOf(result).length === 0 ? '✅' : `❌ ${problemsOf(result).join('; ')}`,
  ])
  return `# Reliability

<!-- Written by \`make chaos\`. Changes made here are lost. -->

What the platform survives, measured ${minute(measuredAt)} on ${machine}: three API instances behind one port, a Postgres
primary with a streaming replica, and Redis, all on one machine with the load of ${perSecond} call events a second. Each event is
written down by its sender, sent again with the same id until it is acknowledged, and looked up in Postgres afterwards, row
by row. Nothing is restarted by hand, and nothing is started again: each fault comes to what the ones before have left.

${table(['Fault', 'Events', 'Refused at first', 'Slowest', 'Recovered after', 'Lost', 'Holds'], rows, [1, 3, 4, 5])}

- **Refused at first**: what senders got for an event before it was taken. "No answer" is a connection that ended.
- **Slowest**: the longest from an event's first sending to its acknowledgement, waits and repetitions included.
- **Recovered after**: from the end of the fault to the last refusal.
- **Lost**: acknowledged, and not in Postgres. Must be 0.
- **Holds**: nothing lost, nothing stored that was not sent, every event taken in the end, refusals honest (503 with
  Retry-After, or no answer), and rollups equal to what the calls add up to.
`
}
