import { stat } from 'node:fs/promises'
import { relative } from 'node:path'
import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { plural } from '@hopwhistle/platform/document/figures.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import type { ScenarioBaseline } from '../document/baseline.ts'
import { readBaseline } from '../document/baseline-files.ts'
import { PLACES } from '../document/paths.ts'
import { addRuns, type EnvironmentHistory, readHistories } from '../history/history-files.ts'
import { measureDailyAlarms, measureDelay, measurePrecision } from '../history/precision/precision.ts'
import { renderPrecision } from '../history/precision/render-precision.ts'
import { renderSummary } from '../history/render-history.ts'
import { renderTerminal } from '../history/render-terminal.ts'
import { type RunRecord, recordOf } from '../history/run-record.ts'
import { writeHistory } from '../history/write-history.ts'

/** For each kind, step and noise. */
const SERIES = 50
const FIRST_SEED = 1

export const history: Command = {
  summary: 'show each metric over time, and what changed between which commits',
  help: `Usage: main.ts history [--environment NAME] [--markdown] [--folder DIR] [--add PATH]…
       main.ts history --precision

Shows the runs that are kept in loadtests/baselines/history: of each scenario those that may be compared with its newest
valid run, each metric over time, and its changes with the level before and after, the p value and the commits between.

  --environment NAME   only this one; that of the newest run if not given
  --markdown           as Markdown, what changed with the newest run first: for the summary of a CI job
  --folder DIR         instead of loadtests/baselines/history
  --add PATH           first add the runs of another such folder, or of a baseline (loadtests/baselines/NAME.json), that
                       are not kept yet; may be repeated. Writes docs/history.md again, if no other folder is given
  --precision          measure the method on simulated series and write docs/history-precision.md, the same each time

Exit codes: 0 it was shown, changed or not, 2 there is no run or a file cannot be read.
`,
  async run(args, { print }) {
    const { values } = parseOptions(args, {
      environment: { type: 'string' },
      markdown: { type: 'boolean', default: false },
      folder: { type: 'string', default: PLACES.history },
      add: { type: 'string', multiple: true, default: [] },
      precision: { type: 'boolean', default: false },
    })
    if (values.precision) {
      if (args.length > 1) throw new Usage('--precision stands alone')
      await writeWhole(
        PLACES.precisionDocument,
        renderPrecision(
          measurePrecision(SERIES, FIRST_SEED),
          measureDelay(SERIES, FIRST_SEED),
          measureDailyAlarms(SERIES, FIRST_SEED),
        ),
      )
      print(`Wrote ${relative(CHECKOUT, PLACES.precisionDocument)}.\n`)
      return EXIT.ok
    }
    if (values.add.length > 0) {
      const runs = (await Promise.all(values.add.map(readAny))).flat()
      const added = await addRuns(values.folder, runs)
      if (values.folder === PLACES.history) await writeHistory()
      process.stderr.write(`Added ${plural(added.length, 'run')} of ${runs.length}.\n`)
    }
    const shown = chosen(await readHistories(values.folder), values.environment)
    print(values.markdown ? renderSummary(shown) : renderTerminal(shown))
    return EXIT.ok
  },
}

/** @throws {Failure} */
function chosen(histories: readonly EnvironmentHistory[], name: string | undefined): EnvironmentHistory {
  const those = histories.filter(({ environment }) => name === undefined || environment === name)
  const end = ({ runs }: EnvironmentHistory) => runs.at(-1)?.startedAt ?? ''
  const [newest] = those.toSorted((a, b) => (end(a) < end(b) ? 1 : -1))
  if (newest !== undefined) return newest
  const known = histories.map(({ environment }) => environment).join(', ')
  throw new Failure(
    name === undefined
      ? 'no run is kept yet; `make baseline` measures and keeps one'
      : `no run of "${name}" is kept; there are: ${known || 'none'}`,
  )
}

/** The runs of a folder of histories or of a baseline. @throws {Failure} */
async function readAny(path: string): Promise<readonly RunRecord[]> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw new Failure(`${path} does not exist`)
  if (found.isDirectory()) return (await readHistories(path)).flatMap(({ runs }) => runs)
  try {
    const { scenarios } = await readBaseline(path)
    return (Object.entries(scenarios) as [ScenarioName, ScenarioBaseline][]).map(([name, run]) => recordOf(name, run))
  } catch (error) {
    throw new Failure(`${path} is no baseline: ${(error as Error).message}`)
  }
}
