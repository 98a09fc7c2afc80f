import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { startChild } from '@hopwhistle/platform/child/start-child.ts'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { measureAlone, WAIT_HELP } from '@hopwhistle/platform/machine/measure-alone.ts'
import { findRedis } from '@hopwhistle/platform/tools/find-redis.ts'
import { findCommit } from '../base/open-commit.ts'
import type { BusyConfig } from '../versions/calibration/busy.ts'
import { KEPT_RUNS, keepRun, readKeptRuns } from '../versions/calibration/kept-runs.ts'
import { RULE, TRUST_PAGE, writeTrust } from '../versions/calibration/render-trust.ts'
import { nextSeries, SERIES, SERIES_NAMES, type SeriesName, withSlowdown } from '../versions/calibration/series.ts'
import { compareVersions } from '../versions/compare-versions.ts'
import { loadShape } from '../versions/load-shape.ts'
import type { ComparisonRecord } from '../versions/measured.ts'

const MINUTES = '15'
/** A planted slowdown is repeated on new servers as a real one is, so there have to be some. */
const RENEW_AFTER = 4
const BUSY = new URL('../versions/calibration/busy.ts', import.meta.url)

export const calibrate: Command = {
  summary: 'measure how far `compare` can be trusted',
  help: `Usage: main.ts calibrate [--version REF] [--runs N] [--series NAME]… [--wait]
       main.ts calibrate --from DIR

Compares a version with itself, and with itself made slower in one respect, many times, each for the full time. Then it
counts false alarms and slowdowns that were found, with four methods: make compare, a threshold on two runs, a difference
in per cent, and Welch's t-test. It also adds more slowdowns to the recorded values, and counts again.

All of it takes a day. You may stop it at any time: the next call continues with what is missing. Finished runs are kept in
comparisons/baselines/calibration, and ${relative(CHECKOUT, TRUST_PAGE)} is written from them.

  --version REF      the version; if not given, that of the runs that are kept, or HEAD
  --runs N           number of runs to make now: 0 to 1000; all that are missing if not given
  --series NAME      ${SERIES_NAMES.slice(0, 4).join(', ')},
                     ${SERIES_NAMES.slice(4).join(', ')};
                     may be repeated; all if not given, the one of which most is missing first
  --minutes N        of each run: 1 to 1440; ${MINUTES} if not given
  --load PERCENT     of the usual rates: 1 to 1000; 100 if not given
  --quick            one short round in each run: proves that everything works, and nothing else
  --from DIR         measure nothing: evaluate the runs that are kept there
  --results-dir DIR  keeps the runs, and the page, elsewhere
  --wait             ${WAIT_HELP}

Exit codes: 0 done, 2 it could not be done.
`,
  async run(args, context) {
    const { terminal, signal, print } = context
    const { values } = parseOptions(args, {
      version: { type: 'string' },
      runs: { type: 'string', default: '1000' },
      series: { type: 'string', multiple: true, default: [...SERIES_NAMES] },
      minutes: { type: 'string', default: MINUTES },
      load: { type: 'string', default: '100' },
      quick: { type: 'boolean', default: false },
      from: { type: 'string' },
      'results-dir': { type: 'string' },
      wait: { type: 'boolean', default: false },
    })
    const elsewhere = values.from ?? values['results-dir']
    const dir = elsewhere === undefined ? KEPT_RUNS : resolve(elsewhere)
    const report = async (): Promise<number> => {
      const kept = readKeptRuns(dir)
      if (allOf(kept).length === 0) throw new Failure(`there is no run in ${dir}`)
      const path = await writeTrust(kept, elsewhere === undefined ? TRUST_PAGE : join(dir, 'trust.md'))
      print(`${readFileSync(path, 'utf8')}\n  Wrote ${relative(CHECKOUT, path)}\n`)
      return EXIT.ok
    }
    if (values.from !== undefined) return report()

    const { quick } = values
    const runs = wholeNumber('--runs', values.runs, 0, 1000)
    const minutes = wholeNumber('--minutes', values.minutes, 1, 1440)
    const load = loadShape(wholeNumber('--load', values.load, 1, 1000) / 100, quick)
    const among = values.series.map(seriesNamed)
    if (process.platform !== 'linux') throw new Failure('CPU times are read from /proc: run this on Linux')
    const version = await versionOf(values.version, allOf(readKeptRuns(dir)), dir)
    const redisServer = await findRedis(terminal, signal)
    const command = ['npm run comparisons -- calibrate', ...args].join(' ')
    return measureAlone({ ...context, command, wait: values.wait, provesNothing: quick }, async () => {
      for (let made = 0; made < runs; made++) {
        const kept = readKeptRuns(dir)
        const series = nextSeries((name) => kept[name].length, among)
        if (series === undefined) break
        const { slowdown, neighbourCores } = SERIES[series]
        const run = kept[series].length + 1
        terminal.step(`${series} ${run} of ${SERIES[series].runs}`)
        const neighbour =
          neighbourCores > 0
            ? await startChild('another program', BUSY, { cores: neighbourCores } satisfies BusyConfig)
            : undefined
        try {
          const record = await compareVersions({
            base: version,
            head: version,
            ...(slowdown === undefined ? {} : { alterHead: (code) => withSlowdown(code, slowdown) }),
            minutes,
            rounds: quick ? 1 : Number.POSITIVE_INFINITY,
            seed: 1000 * SERIES_NAMES.indexOf(series) + run,
            load,
            rule: RULE,
            redisServer,
            terminal,
            signal,
            calibrate: { renewAfter: RENEW_AFTER },
            keep: async () => {},
          })
          await keepRun(dir, series, run, record)
        } finally {
          await neighbour?.stop()
        }
      }
      return report()
    })
  },
}

const allOf = (kept: Readonly<Record<string, readonly ComparisonRecord[]>>): readonly ComparisonRecord[] =>
  Object.values(kept).flat()

function seriesNamed(given: string): SeriesName {
  const found = SERIES_NAMES.find((name) => name === given)
  if (found === undefined) throw new Failure(`--series is "${given}"; expected one of ${SERIES_NAMES.join(', ')}`)
  return found
}

/** @returns a commit. @throws {Failure} when the runs that are kept are of another one */
async function versionOf(given: string | undefined, kept: readonly ComparisonRecord[], dir: string): Promise<string> {
  const before = kept[0]?.versions.base.commit
  const version = await findCommit(given ?? before ?? 'HEAD', 'version')
  if (before === undefined || before === version) return version
  const other = `runs of ${before.slice(0, 7)}, not of ${version.slice(0, 7)}`
  throw new Failure(`${dir} has ${other}: leave --version out, or use --results-dir`)
}
