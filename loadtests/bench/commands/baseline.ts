import { BASELINE_SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { measureAlone, WAIT_HELP } from '@hopwhistle/platform/machine/measure-alone.ts'
import { provesTargets } from '../../scenarios/lib/profiles.ts'
import { readFit } from '../machine/fit.ts'
import { findCarried } from '../run/find-carried.ts'
import { measureAll } from '../run/measure-all.ts'
import { withStack } from '../run/with-stack.ts'
import { NEIGHBOUR_HELP, neighboursOf, PROFILES_HELP, profileOf, scenariosOf } from './measurement-options.ts'
import { printReport, printVerdicts, writeAll } from './report-results.ts'

export const baseline: Command = {
  summary: 'start the platform, measure it, write the baselines document, stop it',
  help: `Usage: main.ts baseline [--profile PROFILE] [--scenario NAME]… [--neighbour NAME]…
                        [--keep] [--results-dir DIR] [--wait]

Starts Postgres with a streaming replica, Redis, and as many API instances as suit the cores. Loads the demo data, runs
the three k6 scenarios while it samples every server, judges them, and writes loadtests/results, loadtests/baselines and
docs/performance-baselines.md. Then it stops everything, also on Ctrl-C.

  --profile PROFILE    quick if not given:
${PROFILES_HELP.replace(/^/gm, '                     ')}
  --scenario NAME      ${BASELINE_SCENARIOS.join(', ')}; may be repeated; all if not given
  --neighbour NAME     a program that belongs to this machine and may use its CPU, or any; may be repeated
  --keep               leave the platform running afterwards; make down stops it
  --results-dir DIR    instead of loadtests/results
  --wait               ${WAIT_HELP}

If a target is missed, or this machine cannot generate and carry the full load, shorter steps at lower rates follow, for
at most three more minutes. They find the largest rate with valid evidence that meets all targets. The table and the
document show that rate and what limited it; the row still says missed.

${NEIGHBOUR_HELP}

k6 has priority on the CPU. Under a CPU quota, the platform is sized for the quota, and gets a baseline of its own: see
loadtests/README.md.

An incomplete run never replaces a complete result: it is written to SCENARIO.partial.json.
The profile smoke changes neither baselines nor document. An invalid run does not replace a valid
baseline: the last valid one stays, and the document says that a newer run was invalid and why.

Environment:
  K6                        the k6 to use
  HOPWHISTLE_ENVIRONMENT    name of this machine's baseline; if not given, such as linux-x64-2-cores
  HOPWHISTLE_NEIGHBOUR      as --neighbour, separated by commas. Becomes part of that name if the name is not given
  HOPWHISTLE_POSTGRES_BIN   bin folder of another Postgres, 15 or newer
  API_INSTANCES             number of API instances; if not given, one for every two cores, 3 at most
  SUBSCRIBER_VUS            virtual users that hold the subscribers; if not given, one for each core, 4 at most

Exit codes: 0 every target is met by valid evidence, 1 a target is missed, 2 no rate gave valid evidence, or the
measurement could not be made.
`,
  async run(args, context) {
    const { values } = parseOptions(args, {
      profile: { type: 'string' },
      scenario: { type: 'string', multiple: true },
      neighbour: { type: 'string', multiple: true },
      keep: { type: 'boolean', default: false },
      'results-dir': { type: 'string' },
      wait: { type: 'boolean', default: false },
    })
    const profile = profileOf(values.profile)
    const scenarios = scenariosOf(values.scenario ?? [], BASELINE_SCENARIOS)
    const neighbours = neighboursOf(values.neighbour ?? [])
    const { print, terminal } = context
    const fit = readFit()
    const command = ['main.ts baseline', ...args].join(' ')
    const alone = { ...context, command, wait: values.wait, provesNothing: !provesTargets(profile) }
    const results = await measureAlone(alone, () =>
      withStack({ keep: values.keep, fit, neighbours }, context, async (measure) => {
        const options = {
          ...measure,
          profile,
          overrides: { SUBSCRIBER_VUS: String(fit.subscriberVUs) },
          ...(values['results-dir'] === undefined ? {} : { resultsDir: values['results-dir'] }),
        }
        return findCarried(await measureAll({ ...options, scenarios }), options)
      }),
    )
    terminal.clear()
    const exitCode = printVerdicts(results, print)
    await printReport(results, print, values['results-dir'])
    if (provesTargets(profile)) await writeAll(results, print)
    return exitCode
  },
}
