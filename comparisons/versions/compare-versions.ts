/**
 * Measures two versions at once, round by round, until the question is answered or the time is over.
 *
 *   check out ─▶ servers ─▶ round ─▶ … ─▶ something is suspected ─▶ new servers ─▶ round ─▶ … ─▶ decided, or time is over
 */
import { seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'
import { OUR_CODE, type PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { readPlace } from '@hopwhistle/platform/machine/place.ts'
import { checkStored } from '../base/check-stored.ts'
import { type OpenCommit, openCommit } from '../base/open-commit.ts'
import { decideAll } from './conclude.ts'
import { measureRound } from './measure/round.ts'
import { openServers, type Servers } from './measure/servers.ts'
import { COMPARISON_FORMAT, type ComparisonRecord, type LoadShape, type Round, type Version } from './measured.ts'
import { type Limits, nextStep } from './next-step.ts'
import type { Decision, Rule } from './statistics/decide.ts'

export type CompareOptions = Limits & {
  /** Any name that git knows a commit by. */
  readonly base: string
  /** Undefined: this checkout as it is. */
  readonly head: string | undefined
  readonly seed: number
  readonly load: LoadShape
  readonly rule: Rule
  readonly redisServer: string
  /** Makes the head of something else, such as of a slower program. */
  readonly alterHead?: (code: PlatformCode) => PlatformCode
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** After each round: to keep what is measured so far. */
  readonly keep: (record: ComparisonRecord) => Promise<void>
}

type OpenVersion = Pick<OpenCommit, 'code' | 'checkStored' | 'remove'> & { readonly version: Version }

/** @throws {Failure} when a version cannot be started, or does not do what is asked of it */
export async function compareVersions(options: CompareOptions): Promise<ComparisonRecord> {
  const { minutes, seed, load, rule, terminal, signal, keep, alterHead = (code) => code } = options
  const began = performance.now()
  const secondsTaken = () => (performance.now() - began) / 1000
  const { name, machine, source } = await readPlace()
  const random = seededRandom(seed)
  const measuredAt = new Date().toISOString()
  const opened: { remove(): Promise<void> }[] = []
  let servers: Servers | undefined
  try {
    const base = await openVersion(options.base, 'base', options)
    opened.push(base)
    const head: OpenVersion =
      options.head === undefined
        ? { code: OUR_CODE, checkStored, remove: async () => {}, version: source }
        : await openVersion(options.head, 'head', options)
    opened.push(head)
    const versions = { base, head: { ...head, code: alterHead(head.code) } }
    const codes = { base: base.code, head: head.code }
    const rounds: Round[] = []
    for (let number = 0; ; ) {
      servers ??= await openServers(options, codes, load.calls)
      const roundOptions = { servers, number, versions, load, random, signal }
      const what = `round ${rounds.length + 1}`
      let decisions: readonly Decision[] = []
      await terminal.during(
        what,
        async () => {
          rounds.push(await measureRound(roundOptions))
          decisions = decideAll(rounds, rule)
        },
        () => `✓ ${what.padEnd(9)} ${countsOf(decisions)}`,
      )
      const record: ComparisonRecord = {
        format: COMPARISON_FORMAT,
        measuredAt,
        name,
        machine,
        versions: { base: base.version, head: head.version },
        seed,
        load,
        minutes,
        secondsTaken: secondsTaken(),
        rounds,
      }
      await keep(record)
      const soFar = { decisions, servers: rounds.map((round) => round.servers), secondsTaken: secondsTaken() }
      const next = nextStep({ ...soFar, roundSeconds: rounds.at(-1)!.seconds }, options)
      if (next === 'stop') return record
      if (next === 'new servers') {
        await servers.stop()
        servers = undefined
        number += 1
      }
    }
  } finally {
    await servers?.stop()
    for (const { remove } of opened) await remove()
  }
}

async function openVersion(ref: string, name: 'base' | 'head', options: CompareOptions): Promise<OpenVersion> {
  const opened = await openCommit(ref, name, options)
  return { ...opened, version: { ref, commit: opened.commit } }
}

/** `20 same, 3 undecided, 1 suspected`. */
function countsOf(decisions: readonly Decision[]): string {
  const words = decisions.map(({ answer, suspected }) => (suspected ? `perhaps ${suspected.direction}` : answer))
  const names = [...new Set(words)].toSorted()
  return names.map((word) => `${words.filter((other) => other === word).length} ${word}`).join(', ')
}
