import { invalid, type Rule } from '../evidence.ts'
import { number } from '../format.ts'

const CLOCK_SLACK_SECONDS = 1

/** Every runner lived to the end of its peak. */
export const cutShort: Rule = {
  name: 'cut-short',
  check({ result: { runners } }) {
    return runners.flatMap(({ instance, startedAt, endedAt, settings }) => {
      const ran = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000
      const needed = settings.phases.find(({ name }) => name === 'peak')?.toSeconds ?? 0
      if (ran >= needed - CLOCK_SLACK_SECONDS) return []
      return [invalid(`runner ${instance} ended after ${number(ran, 1)} s; the peak lasts until ${number(needed)} s`)]
    })
  },
}
