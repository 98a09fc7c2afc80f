/** What was nearest to its limit, and what got there first. */
import { figure, list, number, percent } from '@hopwhistle/platform/document/figures.ts'
import { mean } from '../evidence/evidence.ts'
import { machineCpuOf } from '../evidence/machine-cpu.ts'
import type { OwnResult, ServerFigures } from './own-result.ts'
import { duringJudged, judgedTimes } from './times.ts'

/** As a part of the limit; from here on a resource is said to be saturated. */
const SATURATED = 0.9

export type Use = {
  readonly name: string
  readonly mean: number
  readonly most: number
  readonly unit: string
  readonly limit?: number
  /** Seconds after the start at which it first reached 90 % of its limit. */
  readonly saturatedAt?: number
}

/** Of the judged part; of several series the highest one. */
export function usesOf(result: OwnResult): readonly Use[] {
  const { from, to } = judgedTimes(result)
  const start = Math.min(...result.runners.map(({ startedAt }) => Date.parse(startedAt)))
  const [first, last] = [(from - start) / 1000, (to - start) / 1000]
  return result.servers.flatMap(({ name, unit, limit, series }: ServerFigures) => {
    const parts = series.map(({ points }) => points.filter(([at]) => at >= first && at <= last))
    const means = parts.map((points) => points.reduce((sum, [, value]) => sum + value, 0) / points.length)
    const known = means.filter(Number.isFinite)
    if (known.length === 0) return []
    const mean = Math.max(...known)
    const points = parts[means.indexOf(mean)] ?? []
    const saturatedAt = limit === undefined ? undefined : points.find(([, value]) => value >= SATURATED * limit)?.[0]
    return [
      {
        name,
        unit,
        mean,
        most: Math.max(...points.map(([, value]) => value)),
        ...(limit === undefined ? {} : { limit }),
        ...(saturatedAt === undefined ? {} : { saturatedAt }),
      },
    ]
  })
}

export function limitedBy(result: OwnResult): string {
  if (result.runners.length === 0) return 'not known: k6 left no result'
  const uses = usesOf(result)
  const saturated = uses
    .filter(({ saturatedAt }) => saturatedAt !== undefined)
    .toSorted((a, b) => (a.saturatedAt ?? 0) - (b.saturatedAt ?? 0))
  const machine = machineText(result)
  if (saturated.length > 0) {
    return `${list(saturated.map((use) => `${use.name}, from second ${number(use.saturatedAt ?? 0)} on (${useText(use)})`))}${machine}`
  }
  const nearest = uses
    .filter(({ limit }) => limit !== undefined)
    .toSorted((a, b) => shareOf(b) - shareOf(a))
    .map(useText)
  if (nearest.length > 0) return `nothing: nearest to its limit was ${nearest[0]}${machine}`
  const figures = uses.map(useText)
  if (figures.length > 0) return `not known: no limit is given (${list(figures)})${machine}`
  return `not known: no Prometheus was asked (--prometheus)${machine}`
}

const shareOf = ({ mean, limit }: Use): number => mean / (limit || 1)

export const useText = ({ name, mean, most, unit, limit }: Use): string => {
  const of = unit === '' ? '' : ` ${unit}`
  const figures = `${amount(mean)}${limit === undefined ? '' : ` of ${amount(limit)}`}${of}, ${amount(most)} at most`
  return `${name} ${figures}${limit === undefined ? '' : `, ${percent(mean / limit)}`}`
}

const amount = (value: number): string => (value >= 1e6 ? `${figure(value / 1e6)} M` : figure(value))

/** What the generator's machine did, and who else was on it. */
function machineText(result: OwnResult): string {
  const { machine } = result
  if (machine === undefined) return ''
  const during = duringJudged(result, machine)
  const cpu = machineCpuOf(machine, during)
  if (cpu === undefined) return ''
  const others = (machine.otherPrograms ?? [])
    .map(({ name, cpuCores }) => ({ name, cores: mean(during(cpuCores)) ?? 0 }))
    .filter(({ cores }) => cores >= 0.05)
    .toSorted((a, b) => b.cores - a.cores)
    .slice(0, 3)
    .map(({ name, cores }) => `${name} ${number(cores, 2)}`)
  const who = others.length === 0 ? '' : `, of that ${list(others)}`
  return `; on k6's machine ${number(cpu.busy, 2)} of ${cpu.cores} cores were in use, ${number(cpu.k6, 2)} by k6 and ${number(cpu.others, 2)} by other programs${who}`
}
