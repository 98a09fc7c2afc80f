import { existsSync, readdirSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { measureAlone, WAIT_HELP } from '@hopwhistle/platform/machine/measure-alone.ts'
import { findRedis } from '@hopwhistle/platform/tools/find-redis.ts'
import { findCommit } from '../base/open-commit.ts'
import { renderTrust } from '../versions/calibration/render-trust.ts'
import { trustOf } from '../versions/calibration/trust.ts'
import { compareVersions } from '../versions/compare-versions.ts'
import { ruleFor } from '../versions/conclude.ts'
import { loadShape } from '../versions/load-shape.ts'
import type { ComparisonRecord } from '../versions/measured.ts'
import { readComparison } from '../versions/read-comparison.ts'

const FOLDER = join(CHECKOUT, 'comparisons', 'results', 'calibration')
const RUNS = '40'
const MINUTES = '15'
const MARGIN = 0.05
/** A planted slowdown is repeated on new servers as a real one is, so there have to be some. */
const RENEW_AFTER = 4

export const calibrate: Command = {
  summary: 'measure how far `compare` can be trusted',
  help: `Usage: main.ts calibrate [--version REF] [--runs N] [--minutes N] [--wait]
       main.ts calibrate --from DIR

Compares a version with itself, again and again, each time to the end of its time. Then counts the false alarms, plants
slowdowns into what was recorded and counts how many are found: by make compare, by a threshold on two runs, by a
difference in per cent, and by Welch's t-test. Prints the tables and writes them to DIR/trust.md.

Stop it at any time: the next call goes on with the first run that is missing in comparisons/results/calibration.

  --version REF      the version; HEAD if not given. All runs of a folder are of the same one
  --runs N           1 to 1000; ${RUNS} if not given
  --minutes N        of each run: 1 to 1440; ${MINUTES} if not given
  --load PERCENT     of the usual rates: 1 to 1000; 100 if not given
  --quick            one short round in each run: proves that everything works, and nothing else
  --from DIR         measure nothing: count again in the runs that are kept there
  --results-dir DIR  instead of comparisons/results/calibration
  --wait             ${WAIT_HELP}

Exit codes: 0 done, 2 it could not be done.
`,
  async run(args, context) {
    const { terminal, signal, print } = context
    const { values } = parseOptions(args, {
      version: { type: 'string', default: 'HEAD' },
      runs: { type: 'string', default: RUNS },
      minutes: { type: 'string', default: MINUTES },
      load: { type: 'string', default: '100' },
      quick: { type: 'boolean', default: false },
      from: { type: 'string' },
      'results-dir': { type: 'string', default: FOLDER },
      wait: { type: 'boolean', default: false },
    })
    const rule = ruleFor(MARGIN)
    const dir = resolve(values.from ?? values['results-dir'])
    const report = async (): Promise<number> => {
      const runs = readRuns(dir)
      if (runs.length === 0) throw new Failure(`there is no run in ${dir}`)
      const text = renderTrust(trustOf(runs, rule))
      const path = join(dir, 'trust.md')
      await writeWhole(path, text)
      print(`${text}\n  Wrote ${relative(CHECKOUT, path)}\n`)
      return EXIT.ok
    }
    if (values.from !== undefined) return report()

    const { quick } = values
    const runs = wholeNumber('--runs', values.runs, 1, 1000)
    const minutes = wholeNumber('--minutes', values.minutes, 1, 1440)
    const load = loadShape(wholeNumber('--load', values.load, 1, 1000) / 100, quick)
    if (process.platform !== 'linux') throw new Failure('CPU times are read from /proc: run this on Linux')
    const version = await findCommit(values.version, 'version')
    for (const { versions } of existsSync(dir) ? readRuns(dir) : []) {
      if (versions.base.commit === version) continue
      const other = versions.base.commit?.slice(0, 7) ?? 'another version'
      throw new Failure(`${dir} has runs of ${other}, not of ${version.slice(0, 7)}: use --version or --results-dir`)
    }
    const redisServer = await findRedis(terminal, signal)
    const command = ['npm run comparisons -- calibrate', ...args].join(' ')
    return measureAlone({ ...context, command, wait: values.wait, provesNothing: quick }, async () => {
      for (let run = 1; run <= runs; run++) {
        const path = runPath(dir, run)
        if (existsSync(path)) continue
        terminal.step(`run ${run} of ${runs}`)
        const unfinished = `${path}.unfinished`
        await compareVersions({
          base: version,
          head: version,
          minutes,
          rounds: quick ? 1 : Number.POSITIVE_INFINITY,
          seed: run,
          load,
          rule,
          redisServer,
          terminal,
          signal,
          calibrate: { renewAfter: RENEW_AFTER },
          keep: (record) => writeWhole(unfinished, `${JSON.stringify(record)}\n`),
        })
        await rename(unfinished, path)
      }
      return report()
    })
  },
}

const runPath = (dir: string, run: number): string => join(dir, `equal-${String(run).padStart(3, '0')}.json`)

/** In the order in which they were made. @throws {Failure} */
function readRuns(dir: string): readonly ComparisonRecord[] {
  let names: readonly string[]
  try {
    names = readdirSync(dir)
  } catch (error) {
    throw new Failure(`${dir} cannot be read: ${(error as Error).message}`)
  }
  return names
    .filter((name) => /^equal-\d+\.json$/.test(name))
    .toSorted()
    .map((name) => readComparison(join(dir, name)))
}
