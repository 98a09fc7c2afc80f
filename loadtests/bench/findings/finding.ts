/** What is concluded from facts: sentences in Markdown, each with the figures that it rests on. */
import type { Metric, Verdict } from '../evidence/verdict.ts'
import type { Facts } from './facts.ts'
import type { Resource } from './resource.ts'

export type Findings = {
  /** One line for the terminal: what limited the run, or what is nearest to its limit. */
  readonly limitedBy: string
  readonly findings: readonly Finding[]
  readonly bottlenecks: readonly Finding[]
  readonly recommendations: readonly Finding[]
}

export type Finding = { readonly rule: string; readonly text: string }

/** What every rule sees. */
export type Context = {
  readonly facts: Facts
  readonly verdict: Pick<Verdict, 'outcome' | 'metrics'>
  /** Nearest to its limit first. */
  readonly resources: readonly Resource[]
  /** Whether k6 ran on the same machine as the servers. */
  readonly generatorOnSameMachine: boolean
  readonly words: Words
}

/** What the scenario sends, in plain words. */
export type Words = { readonly one: string; readonly many: string }

/** @returns nothing when it has no evidence, or nothing to say */
export type FindingRule = { readonly name: string; say(context: Context): readonly string[] }

export const metricOf = ({ verdict }: Context, name: Metric['name']): Metric | undefined =>
  verdict.metrics.find((metric) => metric.name === name)

/** Requests or messages a second that went well during the peak. */
export const ratePerSecond = ({ facts: { load } }: Context): number =>
  load.peakSeconds > 0 ? load.ok / load.peakSeconds : 0
