import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { renderSvg } from '../platform/document/chart/render-svg.ts'
import { minute } from '../platform/document/markdown.ts'
import { CHECKOUT } from '../platform/lib/checkout.ts'
import { FAULTS } from './faults/faults.ts'
import type { FaultResult } from './faults/run-fault.ts'
import type { ExperimentResult } from './overload/experiment.ts'
import { renderReliability } from './render-reliability.ts'
import type { SoakResult } from './soak/run-soak.ts'
import { soakChart } from './soak/soak-chart.ts'

/** When and where something was measured. */
export type At = { readonly measuredAt: string; readonly machine: string }

/** The result of one fault. */
export type Measured = At & {
  readonly name: string
  readonly perSecond: number
  /** Measured in a network of its own, where packets can be lost. */
  readonly ownNetwork?: boolean
  readonly result: FaultResult
}

export type MeasuredOverload = At & { readonly name: string; readonly result: ExperimentResult }
export type MeasuredSoak = At & { readonly result: SoakResult }

/** That a result is of now, on this machine. */
export const hereAndNow = (): At => ({
  measuredAt: new Date().toISOString(),
  machine: `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'of unknown kind'})`,
})

type MeasuredFile = {
  readonly faults: readonly Measured[]
  readonly overload?: readonly MeasuredOverload[]
  readonly soak?: MeasuredSoak | undefined
}

/** The files that are written. */
export type Place = { readonly measured: string; readonly document: string; readonly chart: string }

/** @param folder holds all three files; when absent they are in the repository */
export const placeIn = (folder?: string): Place => ({
  measured: join(folder ?? join(CHECKOUT, 'chaos'), 'measured.json'),
  document: join(folder ?? join(CHECKOUT, 'docs'), 'reliability.md'),
  chart: join(folder ?? join(CHECKOUT, 'docs'), 'soak.svg'),
})

function read(file: string): MeasuredFile {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as MeasuredFile
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { faults: [] }
  }
}

export type Now = {
  readonly faults: readonly Measured[]
  readonly overload: readonly MeasuredOverload[]
  readonly soak?: MeasuredSoak | undefined
}

/** Stores these results in place of earlier ones of the same faults; the others stay. */
export function recordMeasured({ faults: measured, overload, soak }: Now, { measured: file }: Place): void {
  const before = read(file)
  const merge = <T extends { readonly name: string }>(old: readonly T[], now: readonly T[]): readonly T[] => [
    ...new Map([...old, ...now].map((one) => [one.name, one])).values(),
  ]
  const order = FAULTS.map(({ name }) => name)
  const faults = merge(before.faults, measured).toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  const all: MeasuredFile = { faults, overload: merge(before.overload ?? [], overload), soak: soak ?? before.soak }
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`)
}

/** Writes the document from all stored results, and the chart of the soak. */
export function writeDocument({ measured: file, document, chart }: Place): void {
  const measured = read(file)
  writeFileSync(document, renderReliability(measured))
  if (measured.soak === undefined) return
  const { minutes, perSecond, samples } = measured.soak.result
  const subtitle = `${perSecond} events a second for ${minutes} minutes · ${minute(measured.soak.measuredAt)} · ${measured.soak.machine}`
  writeFileSync(chart, renderSvg(soakChart('What the platform uses while it runs', subtitle, samples)))
}
