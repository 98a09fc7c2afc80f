import { rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { list } from '@hopwhistle/platform/document/figures.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { measureAlone, WAIT_HELP } from '@hopwhistle/platform/machine/measure-alone.ts'
import { findRedis } from '@hopwhistle/platform/tools/find-redis.ts'
import { findCommit } from '../base/open-commit.ts'
import { compareVersions } from '../versions/compare-versions.ts'
import { conclude, ruleFor } from '../versions/conclude.ts'
import { loadShape } from '../versions/load-shape.ts'
import type { ComparisonRecord } from '../versions/measured.ts'
import { readComparison } from '../versions/read-comparison.ts'
import { renderComparisonPage } from '../versions/render-page.ts'
import { renderSummary } from '../versions/render-summary.ts'
import type { Answer } from '../versions/statistics/decide.ts'

const RESULTS_DIR = join(CHECKOUT, 'comparisons', 'results')
const MARGIN_PERCENT = '5'
const MINUTES = '15'

/** What the command ends with. */
const EXIT_CODES: Readonly<Record<Answer, number>> = {
  same: EXIT.ok,
  faster: EXIT.ok,
  slower: EXIT.missed,
  undecided: EXIT.failed,
}

export const compare: Command = {
  summary: 'did it get slower? Compare two versions of the platform',
  help: `Usage: main.ts compare --base REF [--head REF] [--minutes N] [--margin PERCENT] [--load PERCENT] [--wait]
       main.ts compare --from FILE [--margin PERCENT] [--report FILE]

Runs both versions at once on this machine, under the same load, in rounds: each has new API processes, a new Redis and
a new copy of the database. Compares rate, latency, CPU by component, memory, statements and WAL. Checks the answer
after every round and stops as soon as it is certain. docs/compare.md explains how to read it.

Writes comparisons/results/compare.json (every window), compare.md (the summary, which is also printed) and compare.html
(a page with charts that needs no network).

  --base REF         the version to compare with: any name of a commit
  --head REF         the version to compare; if not given, the files of this checkout as they are
  --minutes N        stop after this time, decided or not: 1 to 1440; ${MINUTES} if not given
  --margin PERCENT   the change that matters: 1 to 100; ${MARGIN_PERCENT} if not given
  --load PERCENT     of the usual rates: 1 to 1000; 100 if not given
  --seed N           repeats the random choices of an earlier run; new ones each time if not given
  --quick            one short round: proves that everything works, and nothing about speed
  --from FILE        measure nothing: evaluate a kept run again
  --report FILE      with --from: also write its page to this file
  --results-dir DIR  instead of comparisons/results
  --wait             ${WAIT_HELP}

Exit codes: 0 every metric is the same or faster, 1 one is slower, 2 undecided, or the comparison could not be made.
`,
  async run(args, context) {
    const { terminal, signal, print } = context
    const { values } = parseOptions(args, {
      base: { type: 'string' },
      head: { type: 'string' },
      minutes: { type: 'string', default: MINUTES },
      margin: { type: 'string', default: MARGIN_PERCENT },
      load: { type: 'string', default: '100' },
      seed: { type: 'string' },
      quick: { type: 'boolean', default: false },
      from: { type: 'string' },
      report: { type: 'string' },
      'results-dir': { type: 'string', default: RESULTS_DIR },
      wait: { type: 'boolean', default: false },
    })
    const margin = wholeNumber('--margin', values.margin, 1, 100) / 100
    const rule = ruleFor(margin)
    const told = (record: ComparisonRecord): { summary: string; code: number } => {
      const conclusion = conclude(record, rule)
      return { summary: renderSummary(record, conclusion, margin), code: EXIT_CODES[conclusion.answer] }
    }
    if (values.from !== undefined) {
      const record = readComparison(values.from)
      const { summary, code } = told(record)
      print(summary)
      if (values.report !== undefined) await writeWhole(values.report, renderComparisonPage(record, margin))
      return code
    }
    if (values.report !== undefined) throw new Usage('--report needs --from: a measurement writes its page by itself')

    const { base, head, quick } = values
    if (base === undefined) throw new Usage('--base is missing')
    const minutes = wholeNumber('--minutes', values.minutes, 1, 1440)
    const load = loadShape(wholeNumber('--load', values.load, 1, 1000) / 100, quick)
    const seed = values.seed === undefined ? newSeed() : wholeNumber('--seed', values.seed, 0, MOST_SEED)
    if (process.platform !== 'linux') throw new Failure('CPU times are read from /proc: run this on Linux')
    await findCommit(base, 'base')
    if (head !== undefined) await findCommit(head, 'head')
    const redisServer = await findRedis(terminal, signal)
    const command = ['npm run comparisons -- compare', ...args].join(' ')
    return measureAlone({ ...context, command, wait: values.wait, provesNothing: quick }, async () => {
      const dir = resolve(values['results-dir'])
      const file = (type: string) => join(dir, `compare.${type}`)
      const [raw, markdown, page] = [file('json'), file('md'), file('html')]
      // Those of an earlier run would be taken for this one's, should this one fail.
      for (const path of [markdown, page]) rmSync(path, { force: true })
      const keep = (record: ComparisonRecord) => writeWhole(raw, `${JSON.stringify(record)}\n`)
      const rounds = quick ? 1 : Number.POSITIVE_INFINITY
      const options = { base, head, minutes, rounds, seed, load, rule, redisServer, terminal, signal, keep }
      const record = await compareVersions(options)
      const { summary, code } = told(record)
      await writeWhole(markdown, summary)
      await writeWhole(page, renderComparisonPage(record, margin))
      print(`${summary}\n  Wrote ${list([raw, markdown, page].map((path) => relative(CHECKOUT, path)))}\n`)
      return code
    })
  },
}

const MOST_SEED = 2 ** 32 - 1
const newSeed = (): number => Math.floor(Math.random() * MOST_SEED)
