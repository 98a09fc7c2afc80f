/** When what counts began and ended. */
import { during } from '../evidence/evidence.ts'
import type { ServerEvidence } from '../sample/server-evidence.ts'
import type { OwnResult } from './own-result.ts'

/** In Unix milliseconds: from the first runner's start to the last one's end, or the judged part of that. */
export function judgedTimes({ runners, judged }: Pick<OwnResult, 'runners' | 'judged'>): { from: number; to: number } {
  const start = Math.min(...runners.map(({ startedAt }) => Date.parse(startedAt)))
  const end = Math.max(...runners.map(({ endedAt }) => Date.parse(endedAt)))
  if (judged === undefined) return { from: start, to: end }
  return { from: start + 1000 * judged.fromSeconds, to: Math.min(end, start + 1000 * judged.toSeconds) }
}

export function judgedSeconds(result: Pick<OwnResult, 'runners' | 'judged'>): number {
  const { from, to } = judgedTimes(result)
  return Math.max(0, (to - from) / 1000)
}

/** Picks from a series of the sampled machine what was sampled meanwhile. */
export const duringJudged = (result: Pick<OwnResult, 'runners' | 'judged'>, server: ServerEvidence) =>
  during(judgedTimes(result), server)
