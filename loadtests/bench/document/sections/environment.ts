import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { list, number, plural } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, minute, table } from '@hopwhistle/platform/document/markdown.ts'
import { machineLine } from '@hopwhistle/platform/machine/machine-line.ts'
import { ANY_NEIGHBOUR } from '@hopwhistle/platform/machine/place.ts'
import type { Environment } from '../../sample/environment.ts'
import type { DocumentModel, Measured } from '../model.ts'
import { commitText } from './words.ts'

export function environmentSection({ measured }: DocumentModel): string {
  const different = [...new Set(measured.map(({ environment }) => JSON.stringify(describe(environment))))]
  const lists = different.map((key) => {
    const those = measured.filter(({ environment }) => JSON.stringify(describe(environment)) === key)
    const [first] = those
    if (first === undefined) return ''
    const whose = list(those.map(({ scenario }) => SCENARIOS[scenario].title))
    return blocks(different.length > 1 ? `${whose}:` : undefined, bullets(describe(first.environment)))
  })
  return blocks(
    '## Test environment',
    ...lists,
    'Each scenario has its own run, and can be measured again alone:',
    table(
      ['Scenario', 'Profile', 'Measured', 'Took', 'Commit', 'k6 processes', 'Machine score'],
      measured.map((one) => [
        SCENARIOS[one.scenario].title,
        one.profile,
        minute(one.startedAt),
        took(one),
        commitText(one.environment.source),
        String(one.runners),
        score(one.environment.machine),
      ]),
    ),
    'The machine score is the speed of one thread, measured before the run: rounds per second of a fixed mix of JSON, ' +
      'hashing, sorting and strings in Node.js. Machines of the same type can differ in it.',
    'Profile `full` ramps up and holds the peak for as long as the targets ask; `quick` holds the same peaks for a minute; ' +
      '`smoke` shows only that everything works together.',
  )
}

/** Where and with what one measurement was made, as Markdown: a line each. */
export function describe({ machine, versions, stack, generatorPriority, neighbours = [] }: Environment): string[] {
  const replica = stack.replicas === 0 ? 'no replica' : plural(stack.replicas, 'streaming replica')
  const postgres = versions.postgres === undefined ? 'of unknown version' : versions.postgres
  const redis = versions.redis === undefined ? 'of unknown version' : versions.redis
  const where = stack.generatorOnSameMachine
    ? `on the same machine, where it takes CPU from the platform${priority(generatorPriority)}`
    : 'on its own machine'
  return [
    `**Machine:** ${machineLine(machine)}`,
    ...(neighbours.length === 0 ? [] : [`**Neighbours:** ${neighboursText(neighbours)}`]),
    `**API server:** Fastify on Node.js ${versions.node}, ${plural(stack.apiInstances, 'instance')}${given(stack)}`,
    `**Database:** PostgreSQL ${postgres}, a primary and ${replica}`,
    `**Cache and pub/sub:** Redis ${redis}`,
    `**Test tool:** k6 ${versions.k6.replace(/^v/, '')}, ${where}`,
  ]
}

function neighboursText(neighbours: readonly string[]): string {
  const which = neighbours.includes(ANY_NEIGHBOUR) ? 'any other program' : list(neighbours.map((name) => `\`${name}\``))
  return `${which}, declared to belong to this machine: the platform and k6 have the CPU that it leaves`
}

function given({ apiSettings = {} }: Environment['stack']): string {
  const settings = Object.entries(apiSettings).map(([name, value]) => `\`${name}=${value}\``)
  return settings.length === 0 ? '' : `, with ${list(settings)} and the other settings by default`
}

function priority(given: Environment['generatorPriority']): string {
  if (given === undefined) return ''
  if (given.method === 'none') return `. k6 had no right of way: ${given.why}`
  const of = given.method === 'nice' ? 'nice value' : 'nice value of sessions (autogroup)'
  const batch = given.policy === 'batch' ? '; it waits for a running thread to pause (SCHED_BATCH)' : ''
  return `. k6 has the right of way: ${of} ${given.k6}, the platform's ${given.platform}${batch}`
}

/** Rounds a second: see `single-thread-score.ts`. */
const score = ({ singleThreadScore }: Environment['machine']): string =>
  singleThreadScore === undefined ? 'unknown' : number(singleThreadScore.perSecond)

function took({ startedAt, endedAt }: Measured): string {
  const seconds = Math.round((Date.parse(endedAt) - Date.parse(startedAt)) / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
