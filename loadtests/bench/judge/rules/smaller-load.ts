import { SLOS } from '@hopwhistle/contract/slos.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import { provesTargets } from '../../../scenarios/lib/profiles.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/**
 * The test was shaped as large as the targets are: less load proves nothing about them. A step of the search for the
 * largest rate that holds is about its own, smaller rate; its subscribers and publishers are those of the target.
 */
export const smallerLoad: Rule = {
  name: 'smaller-load',
  check({ result, scenario, part }) {
    const [runner] = result.runners
    if (runner === undefined || !provesTargets(result.profile)) return []
    const { settings } = runner
    const needed: [what: string, given: unknown, needed: number][] = []
    if (part === 'whole') {
      needed.push(['requests or messages a second', settings.targetPerSecond, SLOS[scenario].ratePerSecond])
    }
    if (scenario === 'redis-pubsub') {
      needed.push(['subscribers', settings.subscribers, SLOS[scenario].subscribers])
      needed.push(['publishers', settings.publishers, SLOS[scenario].publishers])
    }
    return needed
      .filter(([, given, least]) => typeof given === 'number' && given < least)
      .map(([what, given, least]) =>
        invalid(`the test was set to ${number(Number(given))} ${what}; the target is about ${number(least)}`),
      )
  },
}
