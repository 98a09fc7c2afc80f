import { number } from '@hopwhistle/platform/document/figures.ts'
import { endedEarly, endOfPeak, secondsRun } from '../../../scenarios/lib/complete-run.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** Every runner lived to the end of its peak. */
export const cutShort: Rule = {
  name: 'cut-short',
  check({ result: { runners } }) {
    return runners.filter(endedEarly).map((runner) => {
      const [ran, needed] = [number(secondsRun(runner), 1), number(endOfPeak(runner))]
      return invalid(`runner ${runner.instance} ended after ${ran} s; the peak lasts until ${needed} s`)
    })
  },
}
