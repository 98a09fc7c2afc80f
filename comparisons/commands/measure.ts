import { relative } from 'node:path'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { oneOf, parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { measureAlone, WAIT_HELP } from '@hopwhistle/platform/machine/measure-alone.ts'
import { findRedis } from '@hopwhistle/platform/tools/find-redis.ts'
import { BASE_COMMIT, findBase } from '../base/open-base.ts'
import { writePerformance } from '../document/write-performance.ts'
import { measurePart } from '../measure-parts.ts'
import { COMPARED_WITH_BASE, MEMORY_MINUTES, PARTS, ROUNDS } from '../parts.ts'
import { keepPart } from '../record.ts'
import { everyGoalIsMet, renderFigures } from '../render-figures.ts'

export const measure: Command = {
  summary: 'compare the platform with alternatives',
  help: `Usage: main.ts measure [--only PART]… [--rounds N] [--base REF] [--quick] [--results-dir DIR] [--wait]
               [--even-if-busy]

Starts the platform and its alternatives, measures them in turns (A B C, B C A, …) and checks that all did the same work.
Writes comparisons/results/*.json, comparisons/baselines and docs/performance.md with the median and the range of the
rounds. Ratios are computed from values of the same round. Only ratios also hold on other machines.

  ingest      the highest rate of call events, compared with the base, a Fastify route that stores nothing and a
              transaction for each request
  event-cost  CPU for an event at 500 a second by component, compared with the base and a transaction for each request
  idle        CPU of an idle instance, compared with the base
  reports     at 10 million events, compared with plain SQL and a Fastify route that returns the same bytes
  live        100,000 deliveries a second, compared with Socket.IO, plain WebSockets and Centrifugo
  scale       each of the three with 1, 2 and 3 instances, and what limits it; memory over time
  cost        time to start, size of the image, CPU for a request to each endpoint

  --only PART          one of these; may be repeated; all if not given
  --base REF           commit that ingest, event-cost and idle are compared with; ${BASE_COMMIT} if not given. It is checked
                       out in a temporary folder, and its platform gets its own servers
  --rounds N           1 to 20; ${ROUNDS} if not given
  --quick              small and short, 1 round if not given: shows that everything works, says nothing about the
                       goals; writes neither baselines nor document
  --memory-minutes N   how long memory is sampled; ${MEMORY_MINUTES} if not given, 0 not at all
  --results-dir DIR    instead of comparisons/results; a result of fewer rounds does not replace a complete one there
  --wait               ${WAIT_HELP}
  --even-if-busy       write baselines and document also when other programs took more than a tenth of the machine's CPU

Environment:
  CENTRIFUGO           path of Centrifugo 6, to measure it as well
  IMAGE_BUILDER        docker, or a program with the same command line: builds the image to measure its size

Exit codes: 0 every goal is met, 1 one is missed, 2 the measurement failed or other programs disturbed it. With --quick no
goal counts.
`,
  async run(args, context) {
    const { terminal, signal, print } = context
    const { values } = parseOptions(args, {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      base: { type: 'string', default: BASE_COMMIT },
      quick: { type: 'boolean', default: false },
      'memory-minutes': { type: 'string', default: String(MEMORY_MINUTES) },
      'results-dir': { type: 'string' },
      wait: { type: 'boolean', default: false },
      'even-if-busy': { type: 'boolean', default: false },
    })
    const wanted = new Set((values.only ?? PARTS).map((part) => oneOf('the part', part, PARTS)))
    const { quick, base } = values
    if (PARTS.some((part) => wanted.has(part) && COMPARED_WITH_BASE.has(part))) await findBase(base)
    const rounds = wholeNumber('--rounds', values.rounds ?? (quick ? '1' : String(ROUNDS)), 1, 20)
    const memoryMinutes = wholeNumber('--memory-minutes', values['memory-minutes'], 0, 240)
    const redisServer = await findRedis(terminal, signal)
    const command = ['npm run comparisons -- measure', ...args].join(' ')
    return measureAlone({ ...context, command, wait: values.wait, provesNothing: quick }, measureAll)

    async function measureAll(): Promise<number> {
      let met = true
      const disturbedParts: string[] = []
      for (const part of PARTS.filter((part) => wanted.has(part))) {
        const options = { rounds, quick, memoryMinutes, base, redisServer, terminal, signal }
        const { record, rawPath, disturbed } = await measurePart(part, options, values['results-dir'])
        print(`\n${renderFigures(part, record)}\n`)
        const written = [rawPath]
        if (!quick && disturbed !== undefined && !values['even-if-busy']) {
          disturbedParts.push(part)
          print(`\n  Not kept: ${disturbed}\n`)
        } else if (!quick) {
          met &&= everyGoalIsMet(record.figures)
          const { record: all, path } = await keepPart(part, record)
          written.push(path, ...(await writePerformance(all)))
        }
        print(`\n  Wrote ${written.map((path) => relative(CHECKOUT, path)).join(', ')}\n`)
      }
      if (disturbedParts.length > 0) {
        const again = disturbedParts.map((part) => `--only ${part}`).join(' ')
        throw new Failure(
          `other programs took CPU: baselines and document keep their figures. Stop them and measure again with ${again}, or use --even-if-busy`,
        )
      }
      return met ? EXIT.ok : EXIT.missed
    }
  },
}
