/** A change as people read it. */
import { number } from '@hopwhistle/platform/document/figures.ts'
import { day } from '@hopwhistle/platform/document/markdown.ts'
import type { Change } from './changes.ts'
import { figureText, historyMetric, scenarioTitle } from './metrics.ts'
import type { RunRecord } from './run-record.ts'

/** `16.9 ms → 20.1 ms (+19 %, worse)` */
export function levelsText({ metric, before, after, verdict }: Change): string {
  const kind = historyMetric(metric)
  const ratio = before === 0 ? '' : percentText(after / before - 1)
  const remarks = [ratio, verdict === 'other' ? '' : verdict].filter((remark) => remark !== '').join(', ')
  return `${figureText(before, kind)} → ${figureText(after, kind)}${remarks === '' ? '' : ` (${remarks})`}`
}

function percentText(share: number): string {
  const text = number(100 * share, Math.abs(share) < 0.1 ? 1 : 0)
  return `${share > 0 ? '+' : ''}${text} %`
}

/** `a1b2c3d4e5f6..0f9e8d7c6b5a`, as `git log` takes it; or why there is no such range. */
export function commitsText({ lastBefore, firstAfter }: Pick<Change, 'lastBefore' | 'firstAfter'>): string {
  const [from, to] = [lastBefore, firstAfter].map(({ environment }) => environment.source) as [Source, Source]
  if (from.commit === undefined || to.commit === undefined) return 'unknown commits'
  const changed = from.dirty || to.dirty ? ', with changes that were not committed' : ''
  if (from.commit === to.commit) return `${short(from.commit)} on both sides${changed}`
  return `${short(from.commit)}..${short(to.commit)}${changed}`
}

type Source = RunRecord['environment']['source']
const short = (commit: string): string => commit.slice(0, 12)

export const pText = (p: number): string => `p ${number(p, 4)}`

/** A whole change in one line, without its full stop. */
export function changeText(change: Change): string {
  const { scenario, metric, p, lastBefore, firstAfter } = change
  const parts = [
    `${scenarioTitle(scenario)}, ${historyMetric(metric).label}: ${levelsText(change)}`,
    pText(p),
    `commits ${commitsText(change)}`,
    `between ${day(lastBefore.startedAt)} and ${day(firstAfter.startedAt)}`,
    ...(change.with.length === 0 ? [] : [`changed as well: ${change.with.join(', ')}`]),
    change.byOtava ? 'seen by Otava, too' : 'not seen by Otava',
  ]
  return parts.join('; ')
}
