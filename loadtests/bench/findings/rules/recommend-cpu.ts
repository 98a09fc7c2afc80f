/** What to change when work queues for a processor. */
import { ms, number, percent } from '@hopwhistle/platform/document/figures.ts'
import { cpuShares } from '../cpu.ts'
import { type FindingRule, metricOf, ratePerSecond } from '../finding.ts'
import type { Resource } from '../resource.ts'
import { isBusy, isSaturated } from '../resources.ts'

/** CPU up to which a core may be planned to be used. */
const PLANNED_CPU = 0.7
/** From this part of a saturated machine on, a program is worth a change. */
const LARGE_SHARE = 0.3

const saturatedMachine = (resources: readonly Resource[]): boolean =>
  resources.some((resource) => resource.id === 'machine cpu' && isSaturated(resource))

export const generatorApart: FindingRule = {
  name: 'generator-apart',
  say({ facts, resources, generatorOnSameMachine }) {
    const k6 = cpuShares(facts).find(({ kind }) => kind === 'k6')
    const busy = facts.machine?.busyCores.mean
    if (!generatorOnSameMachine || !saturatedMachine(resources) || k6 === undefined || !busy) return []
    if (k6.cores / busy < LARGE_SHARE) return []
    return [
      `Run k6 on a machine of its own: it takes ${number(k6.cores, 2)} of the ${number(busy, 2)} cores in use, which the ` +
        `platform could use. \`API_URL\` and \`WS_URL\` point it at the platform.`,
    ]
  },
}

export const moreApiCpu: FindingRule = {
  name: 'more-api-cpu',
  say(context) {
    const { facts, resources, words } = context
    const loop = resources.find(({ id }) => id === 'event loop')
    const api = cpuShares(facts).find(({ kind }) => kind === 'api')
    const rate = ratePerSecond(context)
    if (api === undefined || rate === 0) return []
    const carried = `one core of the API carries about ${number((PLANNED_CPU * rate) / api.cores)} ${words.many} a second`
    if (loop !== undefined && isSaturated(loop)) {
      return [
        `Add an API instance: ${loop.name} is ${percent(loop.use)} busy. At the measured cost, ${carried} ` +
          `when it is ${percent(PLANNED_CPU)} busy.`,
      ]
    }
    const busy = facts.machine?.busyCores.mean ?? 0
    if (!saturatedMachine(resources) || busy === 0 || api.cores / busy < LARGE_SHARE) return []
    return [
      `Give the API more cores: it uses ${number(api.cores, 2)} of the ${number(busy, 2)} in use. At the measured cost ` +
        `${carried} when it is ${percent(PLANNED_CPU)} busy.`,
    ]
  },
}

export const largerMachine: FindingRule = {
  name: 'larger-machine',
  say({ facts, resources }) {
    const [most] = cpuShares(facts)
    if (!saturatedMachine(resources) || most === undefined || most.kind === 'k6' || most.kind === 'api') return []
    if (most.kind === 'other') {
      return [
        `Measure again on a quiet machine: programs that are no part of the measurement used ${number(most.cores, 2)} of its ` +
          `${number(facts.machine?.cores ?? 0)} cores.`,
      ]
    }
    return [`Give ${most.name} a machine of its own or more cores here: it takes ${number(most.cores, 2)} of them.`]
  },
}

/** Batches below this size hardly share their commits. */
const SMALL_BATCH = 3
const WORTHWHILE_BATCH = 4
/** The part of the p95 target that waiting for company may take. */
const WAIT_PART = 0.2

/** Every commit costs CPU in the API, in the primary and in the replica, whatever it holds. */
export const largerBatches: FindingRule = {
  name: 'larger-batches',
  say(context) {
    const { facts, resources, words } = context
    const ingest = facts.api?.ingest
    const p95 = metricOf(context, 'p95')
    const perInstance = ratePerSecond(context) / (facts.api?.instances ?? 1)
    if (ingest === undefined || p95 === undefined || perInstance === 0 || !resources.some(isBusy)) return []
    if (ingest.meanBatch >= SMALL_BATCH || cpuShares(facts)[0]?.kind === 'other') return []
    const needed = (1000 * (WORTHWHILE_BATCH - 1)) / perInstance
    const wait = 5 * Math.max(1, Math.round(Math.min(needed, p95.target * WAIT_PART) / 5))
    return [
      `Let batches grow: one holds ${number(ingest.meanBatch, 1)} events, and every commit costs CPU whatever it holds. At ` +
        `${number(perInstance)} ${words.many} a second to each instance, waiting ${number(wait)} ms ` +
        `(\`INGEST_BATCH_WAIT_MS=${wait}\`) gathers about ${number(1 + (perInstance * wait) / 1000)}.`,
    ]
  },
}

/** Room that a longer tick needs, in ms. */
const ROOM_FOR_TICK = 20

export const fewerFrames: FindingRule = {
  name: 'fewer-frames',
  say(context) {
    const { facts, resources } = context
    const d = facts.load.delivery
    const p95 = metricOf(context, 'p95')
    if (d === undefined || d.frames === 0 || p95?.measured === undefined || !resources.some(isBusy)) return []
    const room = p95.target - p95.measured
    if (room < ROOM_FOR_TICK || cpuShares(facts)[0]?.kind === 'other') return []
    return [
      `Raise \`LIVE_TICK_MS\` by 10 ms or more: a frame carries ${number(d.delivered / d.frames, 1)} messages, each frame ` +
        `costs the API, the kernel and the reader, and p95 leaves ${ms(room)} of room.`,
    ]
  },
}
