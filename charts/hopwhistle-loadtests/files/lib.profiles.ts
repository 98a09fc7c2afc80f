/**
 * The size of each scenario in each profile: the only place where rates, VU counts and durations are written.
 *
 * Every number is a total: with several runners k6 divides it by its execution segments.
 */
import { type ScenarioName, SLOS } from './contract.slos.ts'

export const PROFILE_NAMES = ['full', 'quick', 'smoke'] as const
export type ProfileName = (typeof PROFILE_NAMES)[number]

/** Whether a profile is there to prove the targets. */
export const provesTargets = (profile: string): boolean => profile !== 'smoke'

/** A scenario of requests at a rate. */
export type RequestShape = {
  /** What is to be reached at the peak; a little more is offered, see `offeredPerSecond`. */
  readonly targetPerSecond: number
  readonly rampSeconds: number
  readonly peakSeconds: number
  readonly vus: number
  /** k6 adds VUs up to this many while answers are slow, so that the rate does not yield to the server. */
  readonly maxVUs: number
}

/** The scenario of live delivery: subscribers connect, publishers ramp up, and what is in flight arrives. */
export type LiveShape = {
  readonly targetPerSecond: number
  /** The subscribers' connections are spread over this time, before the first message. */
  readonly connectSeconds: number
  readonly rampSeconds: number
  readonly peakSeconds: number
  /** How long subscribers wait at most, after the last message was due to be sent, for all to arrive. */
  readonly drainSeconds: number
  readonly subscribers: number
  readonly publishers: number
  /** The subscribers share this many VUs: several sockets on one event loop cost k6 least. */
  readonly subscriberVUs: number
}

export type Shapes = {
  readonly 'call-state-updates': RequestShape
  readonly 'reporting-endpoints': RequestShape
  readonly 'redis-pubsub': LiveShape
}

const calls = { targetPerSecond: SLOS['call-state-updates'].ratePerSecond, vus: 500, maxVUs: 1000 }
const reports = { targetPerSecond: SLOS['reporting-endpoints'].ratePerSecond, vus: 100, maxVUs: 200 }
const live = {
  targetPerSecond: SLOS['redis-pubsub'].ratePerSecond,
  subscribers: SLOS['redis-pubsub'].subscribers,
  publishers: SLOS['redis-pubsub'].publishers,
  subscriberVUs: 10,
}

export const PROFILES: Readonly<Record<ProfileName, Shapes>> = {
  /** The stages of the performance baselines: 6, 7 and about 4 minutes. */
  full: {
    'call-state-updates': { ...calls, rampSeconds: 180, peakSeconds: 180 },
    'reporting-endpoints': { ...reports, rampSeconds: 120, peakSeconds: 300 },
    'redis-pubsub': { ...live, connectSeconds: 10, rampSeconds: 60, peakSeconds: 180, drainSeconds: 30 },
  },
  /** The same peaks, held for a minute each: about 4 minutes in all. */
  quick: {
    'call-state-updates': { ...calls, rampSeconds: 15, peakSeconds: 60 },
    'reporting-endpoints': { ...reports, rampSeconds: 15, peakSeconds: 60 },
    'redis-pubsub': { ...live, connectSeconds: 5, rampSeconds: 10, peakSeconds: 55, drainSeconds: 30 },
  },
  /** Proves that everything works together, in under a minute, and nothing about the targets. */
  smoke: {
    'call-state-updates': { targetPerSecond: 100, vus: 50, maxVUs: 100, rampSeconds: 3, peakSeconds: 9 },
    'reporting-endpoints': { targetPerSecond: 30, vus: 20, maxVUs: 40, rampSeconds: 3, peakSeconds: 9 },
    'redis-pubsub': {
      targetPerSecond: 100,
      subscribers: 40,
      publishers: 4,
      subscriberVUs: 4,
      connectSeconds: 2,
      rampSeconds: 2,
      peakSeconds: 8,
      drainSeconds: 10,
    },
  },
}

/**
 * The rate to offer for a target: 1 % more, rounded up (500 → 505), so that the rate achieved is compared with the
 * target itself. At exactly the target, one slow tick of k6's clock would read as 499.9 and need an excuse.
 */
export const offeredPerSecond = (targetPerSecond: number): number => Math.ceil(targetPerSecond * 1.01 - 1e-9)

export const shapeOf = <S extends ScenarioName>(profile: ProfileName, scenario: S): Shapes[S] =>
  PROFILES[profile][scenario]
