import { list, number } from '@hopwhistle/platform/document/figures.ts'
import { cpuText } from './cpu.ts'
import type { Facts } from './facts.ts'
import { isSaturated, resourcesOf } from './resources.ts'

/** Programs that used less than this part of the machine's cores are not named. */
const LEAST_SHARE = 0.05

/** What ran out first, in a few words with its figures; undefined when nothing that was sampled did. */
export function limitText(facts: Facts): string | undefined {
  const [first] = resourcesOf(facts)
  if (first === undefined || !isSaturated(first)) return refusedText(facts)
  const { machine } = facts
  if (first.id !== 'machine cpu' || machine === undefined) return `${first.name}, ${first.figures}`
  return `${first.figures}: ${cpuText(facts, LEAST_SHARE * machine.cores)}`
}

function refusedText({ api }: Facts): string | undefined {
  const reasons = Object.entries(api?.rejected ?? {}).map(([reason, count]) => `${number(count)} ${reason}`)
  return reasons.length === 0 ? undefined : `the API refused requests: ${list(reasons)}`
}
