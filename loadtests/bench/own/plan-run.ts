/** What the k6 of a script is told, and the script that it runs instead of it. */
import type { OwnPlan } from '../../scenarios/own/plan.ts'
import { JUDGED_TAG, LATENCY, withTag } from '../../scenarios/own/plan.ts'
import { expressionOf, percentileIn, type Target } from './target.ts'
import type { Targets } from './targets-file.ts'

/** For the tables and the report, besides those that a target names. */
const PERCENTILES = [50, 90, 95, 99, 99.9]

export function planOf(
  { targets, judged }: Pick<Targets, 'targets' | 'judged'>,
  run: Pick<OwnPlan, 'runId' | 'instance' | 'resultFile'>,
): OwnPlan {
  const asked = Map.groupBy(targets, ({ metric }) => metric)
  const expressions = Object.fromEntries([...asked].map(([metric, all]) => [metric, all.map(expressionOf)]))
  const thresholds: Record<string, readonly string[]> = Object.fromEntries(
    Object.entries(expressions).map(([metric, all]) => [keptAs(metric, judged !== undefined), all]),
  )
  // What the rules read of the judged part.
  if (judged !== undefined) {
    for (const metric of ['http_reqs', 'iterations']) thresholds[keptAs(metric, true)] ??= ['count>=0']
    thresholds[keptAs(LATENCY, true)] ??= ['max>=0']
  }
  return {
    ...run,
    ...(judged === undefined ? {} : { judged }),
    targets: expressions,
    thresholds,
    percentiles: [...new Set([...PERCENTILES, ...targets.flatMap((target) => percentileIn(target) ?? [])])],
  }
}

/** k6 gives dropped iterations no tags: they were never begun. */
const UNTAGGED = new Set(['dropped_iterations', 'vus', 'vus_max', 'data_sent', 'data_received'])

/** The name of a metric's figures of the judged part. */
export const keptAs = (metric: string, isPart: boolean): string =>
  isPart && !UNTAGGED.has(metric) ? withTag(metric, `${JUDGED_TAG}:yes`) : metric

/** @param modules where k6 finds the instrument and the script */
export function wrapperOf(plan: OwnPlan, modules: { readonly instrument: string; readonly script: string }): string {
  const script = JSON.stringify(modules.script)
  return `// The order matters: the instrument replaces k6's http functions before the script takes them.
import { instrument } from ${JSON.stringify(modules.instrument)};
import * as script from ${script};
export * from ${script};
const { iteration, ...entries } = instrument(${JSON.stringify(plan)}, script);
export const { options, setup, teardown, handleSummary } = entries;
export { iteration as default };
`
}

/** Whose thresholds count as well: those of the script that are not among the targets. */
export function withThresholds(targets: readonly Target[], ofScript: readonly Target[]): readonly Target[] {
  const key = ({ metric, ...target }: Target) => `${metric} ${expressionOf(target)}`
  const known = new Set(targets.map(key))
  return [...targets, ...ofScript.filter((target) => !known.has(key(target)))]
}
