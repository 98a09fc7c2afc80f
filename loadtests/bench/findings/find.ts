/** Computes what a run has shown: findings, bottlenecks and recommendations, each by a rule with its figures. */
import { TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { percent } from '@hopwhistle/platform/document/figures.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { cpuShares } from './cpu.ts'
import type { Facts } from './facts.ts'
import type { Context, Finding, FindingRule, Findings } from './finding.ts'
import { isSaturated, resourcesOf } from './resources.ts'
import { batches } from './rules/batches.ts'
import * as bottlenecks from './rules/bottlenecks.ts'
import { cpuCost } from './rules/cpu-cost.ts'
import { crossCheck } from './rules/cross-check.ts'
import { database } from './rules/database.ts'
import { delivery } from './rules/delivery.ts'
import { endpoints } from './rules/endpoints.ts'
import { headroom } from './rules/headroom.ts'
import { latencyParts } from './rules/latency-parts.ts'
import { fewerFrames, generatorApart, largerBatches, largerMachine, moreApiCpu } from './rules/recommend-cpu.ts'
import { findTheEnd, raiseLimit } from './rules/recommend-growth.ts'
import { fasterFlush, largerPool, moreBuffers, slowReplica } from './rules/recommend-postgres.ts'
import { reportSources } from './rules/report-sources.ts'
import { statements } from './rules/statements.ts'
import { worstWindow } from './rules/worst-window.ts'
import { sampleCount, waitShares } from './waits.ts'

const FINDINGS: readonly FindingRule[] = [
  headroom,
  delivery,
  endpoints,
  latencyParts,
  batches,
  reportSources,
  statements,
  database,
  cpuCost,
  worstWindow,
  crossCheck,
]

const BOTTLENECKS: readonly FindingRule[] = [
  bottlenecks.saturated,
  bottlenecks.databaseWaits,
  bottlenecks.lockWaits,
  bottlenecks.poolWaits,
  bottlenecks.refused,
  bottlenecks.replicaLag,
  bottlenecks.nothingNear,
  bottlenecks.unknown,
]

const RECOMMENDATIONS: readonly FindingRule[] = [
  generatorApart,
  moreApiCpu,
  largerMachine,
  largerBatches,
  fewerFrames,
  fasterFlush,
  largerPool,
  moreBuffers,
  slowReplica,
  raiseLimit,
  findTheEnd,
]

export type FindOptions = { readonly generatorOnSameMachine?: boolean }

export function find(
  facts: Facts,
  verdict: Pick<Verdict, 'outcome' | 'metrics'>,
  { generatorOnSameMachine = true }: FindOptions = {},
): Findings {
  const context: Context = {
    facts,
    verdict,
    resources: resourcesOf(facts),
    generatorOnSameMachine,
    words: TRAFFIC[trafficIn(facts.scenario)[0]],
  }
  const say = (rules: readonly FindingRule[]): readonly Finding[] =>
    rules.flatMap((rule) => rule.say(context).map((text) => ({ rule: rule.name, text })))
  return {
    limitedBy: limitedBy(context),
    findings: say(FINDINGS),
    bottlenecks: say(BOTTLENECKS),
    recommendations: say(RECOMMENDATIONS),
  }
}

function limitedBy({ facts, resources }: Context): string {
  const [nearest] = resources
  if (nearest === undefined) return 'not known: the servers were not sampled'
  if (isSaturated(nearest)) {
    const [most] = cpuShares(facts)
    const who = nearest.id === 'machine cpu' && most !== undefined ? `, the most of it by ${most.name}` : ''
    return `${nearest.name}: ${percent(nearest.use)}${who}`
  }
  if (facts.postgres !== undefined && facts.postgres.activity.meanActive >= 1) {
    const shares = waitShares(facts.postgres)
    const [first] = shares
    if (first !== undefined && first.group !== 'CPU' && first.share >= 0.5) {
      return `postgres primary, ${first.group}: ${percent(first.share)} of ${sampleCount(shares)} samples`
    }
  }
  return `nothing; nearest to its limit is ${nearest.name}, ${percent(nearest.use)}`
}
