/** What held the platform back, or would first. */
import { bytes, list, number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { cpuText } from '../cpu.ts'
import type { FindingRule } from '../finding.ts'
import { isSaturated } from '../resources.ts'
import { sampleCount, WAITED_FOR, waitShares } from '../waits.ts'

/** Samples in which a session was blocked by another's row lock, as a part of all, from which on it matters. */
const MANY_LOCK_WAITS = 0.05
/** From this many sessions at work on, one more waits for what all of them wait for. */
const BUSY_SESSIONS = 2
const DOMINANT = 0.5
const LAG_SECONDS = 1

export const saturated: FindingRule = {
  name: 'saturated',
  say: ({ facts, resources }) =>
    resources.filter(isSaturated).map(({ id, name, use, figures }, place) => {
      const first = place === 0 ? 'The first to run out was' : 'Also near its limit was'
      const who = id === 'machine cpu' ? `, of which ${cpuText(facts)}` : ''
      return `${first} ${name}: ${percent(use)}, ${figures}${who}.`
    }),
}

export const databaseWaits: FindingRule = {
  name: 'database-waits',
  say({ facts: { postgres } }) {
    if (postgres === undefined || postgres.activity.meanActive < BUSY_SESSIONS) return []
    const shares = waitShares(postgres)
    const [first] = shares
    if (first === undefined || first.group === 'CPU' || first.share < DOMINANT) return []
    return [
      `${number(postgres.activity.meanActive, 1)} sessions of the primary were at work at any moment, and ` +
        `${percent(first.share)} of ${number(sampleCount(shares))} samples of them waited for ${WAITED_FOR[first.group]}.`,
    ]
  },
}

export const lockWaits: FindingRule = {
  name: 'lock-waits',
  say({ facts: { postgres } }) {
    if (postgres === undefined) return []
    const texts: string[] = []
    const shares = waitShares(postgres)
    const locks = shares.find(({ group }) => group === 'row locks')
    if (locks !== undefined && locks.share >= MANY_LOCK_WAITS) {
      texts.push(`Sessions waited for each other's rows in ${percent(locks.share)} of ${sampleCount(shares)} samples.`)
    }
    if (postgres.deadlocks > 0) texts.push(`Postgres broke ${plural(postgres.deadlocks, 'deadlock')}.`)
    return texts
  },
}

export const poolWaits: FindingRule = {
  name: 'pool-waits',
  say: ({ facts: { api } }) =>
    (api?.pools ?? [])
      .filter(({ waiting }) => (waiting?.mean ?? 0) >= 1)
      .map(
        ({ pool, waiting, busy }) =>
          `${number(waiting?.mean ?? 0, 1)} queries waited for a connection of the ${pool} pool at any moment ` +
          `(${number(waiting?.peak ?? 0)} at most), with ${number(busy?.peak ?? 0)} connections busy.`,
      ),
}

export const refused: FindingRule = {
  name: 'refused',
  say({ facts: { api, redis } }) {
    const texts: string[] = []
    const reasons = Object.entries(api?.rejected ?? {})
    if (reasons.length > 0) {
      texts.push(`The API refused requests: ${list(reasons.map(([reason, count]) => `${number(count)} ${reason}`))}.`)
    }
    if (redis !== undefined && redis.rejectedConnections > 0) {
      texts.push(
        `Redis refused ${plural(redis.rejectedConnections, 'connection')}, with ${number(redis.maxClients)} allowed.`,
      )
    }
    if (redis !== undefined && redis.evictedKeys > 0) {
      texts.push(`Redis evicted ${plural(redis.evictedKeys, 'key')} to stay below ${bytes(redis.maxMemoryBytes)}.`)
    }
    return texts
  },
}

export const replicaLag: FindingRule = {
  name: 'replica-lag',
  say({ facts: { api, postgres } }) {
    const lag = api?.replicaLagSeconds
    if (lag === undefined || lag.mean < LAG_SECONDS) return []
    const behind = postgres?.replica?.lagBytes
    const amount = behind === undefined ? '' : `, with ${bytes(behind.peak)} of WAL to replay at most`
    return [`The replica was ${number(lag.mean, 1)} s behind on average and ${number(lag.peak, 1)} s at most${amount}.`]
  },
}

/** How many of the nearest are named when nothing is near. */
const NEAREST = 3

export const nothingNear: FindingRule = {
  name: 'nothing-near',
  say({ resources, facts }) {
    if (resources.some(isSaturated)) return []
    const [first, ...others] = resources.slice(0, NEAREST)
    if (first === undefined) return []
    const who = first.id === 'machine cpu' ? ` (${cpuText(facts)})` : ''
    const next = others.map(({ name, use }) => `${name} (${percent(use)})`)
    return [
      `Nothing is near its limit. The nearest is ${first.name} at ${percent(first.use)}: ${first.figures}${who}` +
        `${next.length === 0 ? '' : `; then ${list(next)}`}.`,
    ]
  },
}

export const unknown: FindingRule = {
  name: 'unknown',
  say: ({ resources }) =>
    resources.length === 0 ? ['What limits this scenario is not known: the servers were not sampled.'] : [],
}
