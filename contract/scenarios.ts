/**
 * The catalogue of load tests: one row each, with everything that differs from one to the next. k6, the judge, the
 * document, the charts and the alerts read it; a new scenario needs its row, its script and its test.
 */
import { ROUTES } from './routes.ts'

/** Those that a scenario has sizes for. */
const SIZES = ['full', 'quick', 'smoke'] as const
export const PROFILE_NAMES = [...SIZES, 'soak', 'breakpoint'] as const
export type ProfileName = (typeof PROFILE_NAMES)[number]

/** Of any scenario: hours at the target, and a rate that rises evenly to a multiple of the target. */
const SOAK = { rampSeconds: 60, peakSeconds: 7200 }
const BREAKPOINT = { rampSeconds: 300, peakSeconds: 10, times: 4 }

/**
 * The kinds of traffic that scenarios are made of: how each is called, counted and timed.
 *
 * Counters and histograms have the phase as a suffix: `updates_ok_peak`. A histogram may have a further word before it:
 * `report_latency_daily_peak`.
 */
export const TRAFFIC = {
  /** Call events, each posted in a request of its own, and callbacks and call detail records of providers. */
  updates: {
    one: 'update',
    many: 'updates',
    rate: { label: 'Throughput', unit: 'updates/s', short: 'upd/s' },
    counters: { sent: 'updates_sent', ok: 'updates_ok', failed: 'updates_failed' },
    latency: 'update_latency',
    routes: [ROUTES.demoCallEvent, ROUTES.eventsFromTwilio, ROUTES.eventsFromSipCdr],
    stores: true,
  },
  /** Metrics, lists of calls, the feed of changes, and exports. */
  reports: {
    one: 'report',
    many: 'reports',
    rate: { label: 'Request rate', unit: 'requests/s', short: 'req/s' },
    counters: { sent: 'reports_sent', ok: 'reports_ok', failed: 'reports_failed' },
    latency: 'report_latency',
    routes: [ROUTES.reportMetrics, ROUTES.reportCalls],
    stores: false,
  },
  /** Call events posted by publishers, each due at every subscriber over its WebSocket. */
  messages: {
    one: 'message',
    many: 'messages',
    rate: { label: 'Message throughput', unit: 'messages/s', short: 'msg/s' },
    counters: { ok: 'messages_published', failed: 'publish_failed' },
    latency: 'delivery_latency',
    routes: [ROUTES.callEvent],
    stores: true,
  },
} as const satisfies Record<TrafficKind, Traffic>

export type TrafficKind = 'updates' | 'reports' | 'messages'
export type RateUnit = 'updates/s' | 'requests/s' | 'messages/s'

export type Traffic = {
  readonly one: string
  readonly many: string
  readonly rate: { readonly label: string; readonly unit: RateUnit; readonly short: string }
  /** Without `sent`, what was sent is what went well and what failed. */
  readonly counters: { readonly sent?: string; readonly ok: string; readonly failed: string }
  /** The histogram: of a request how long the answer took, of a message from the publisher's send to the receipt. */
  readonly latency: string
  /** Where it is sent. */
  readonly routes: readonly string[]
  /** Whether each of them is a row in Postgres afterwards. */
  readonly stores: boolean
}

type Latencies = { readonly p50Ms?: number; readonly p95Ms: number; readonly p99Ms: number }
export type RequestTargets = Latencies & { readonly ratePerSecond: number; readonly successPercent: number }
export type MessageTargets = Latencies & {
  readonly ratePerSecond: number
  readonly deliveryPercent: number
  readonly subscribers: number
  readonly publishers: number
}

/** What a scenario is to prove of each kind of traffic that it carries. Latencies in milliseconds, shares in percent. */
export type Targets = {
  readonly updates?: RequestTargets
  readonly reports?: RequestTargets
  readonly messages?: MessageTargets
}

/** Requests at a rate. */
export type RequestShape = {
  /** What is to be reached at the peak by the first kind of traffic; a little more is offered. */
  readonly targetPerSecond: number
  readonly rampSeconds: number
  readonly peakSeconds: number
  readonly vus: number
  /** k6 adds VUs up to this many while answers are slow, so that the rate does not yield to the server. */
  readonly maxVUs: number
}

/** Live delivery: subscribers connect, publishers ramp up, and what is in flight arrives. */
export type LiveShape = {
  readonly targetPerSecond: number
  readonly subscribers: number
  readonly publishers: number
  /** The subscribers share this many VUs. Each parses all frames for itself, and uses one core at most. */
  readonly subscriberVUs: number
  /** The subscribers' connections are spread over this time, before the first message. */
  readonly connectSeconds: number
  readonly rampSeconds: number
  readonly peakSeconds: number
  /** How long subscribers wait at most, after the last message was due to be sent, for all to arrive. */
  readonly drainSeconds: number
}

/**
 * The size of a scenario: every number is a total, which k6 divides by its execution segments among several runners.
 * What a profile leaves out is as the targets say.
 */
type Size = Partial<RequestShape & LiveShape> & Pick<RequestShape, 'rampSeconds' | 'peakSeconds'>

export type Scenario = {
  /** In headings. */
  readonly title: string
  /** What it sends, in a few words. */
  readonly load: string
  /** Whether `make baseline` measures it and the document shows it. */
  readonly inBaselines: boolean
  /** The first kind is the one that `targetPerSecond` is about; the others keep their proportion to it. */
  readonly targets: Targets
  readonly vus: Partial<Pick<RequestShape & LiveShape, 'vus' | 'maxVUs' | 'subscriberVUs'>>
  /** The profiles full and quick have the targets as their peaks; smoke proves nothing about them. */
  readonly profiles: Readonly<Record<(typeof SIZES)[number], Size>>
}

export const SCENARIOS = {
  'call-state-updates': {
    title: 'Call state updates',
    load: '500 call events a second',
    inBaselines: true,
    targets: { updates: { ratePerSecond: 500, successPercent: 95, p95Ms: 300, p99Ms: 500 } },
    vus: { vus: 500, maxVUs: 1000 },
    profiles: {
      full: { rampSeconds: 180, peakSeconds: 180 },
      quick: { rampSeconds: 15, peakSeconds: 60 },
      smoke: { targetPerSecond: 100, vus: 50, maxVUs: 100, rampSeconds: 3, peakSeconds: 9 },
    },
  },
  'reporting-endpoints': {
    title: 'Reporting endpoints',
    load: '100 reports a second',
    inBaselines: true,
    targets: { reports: { ratePerSecond: 100, successPercent: 98, p50Ms: 150, p95Ms: 300, p99Ms: 500 } },
    vus: { vus: 100, maxVUs: 200 },
    profiles: {
      full: { rampSeconds: 120, peakSeconds: 300 },
      quick: { rampSeconds: 15, peakSeconds: 60 },
      smoke: { targetPerSecond: 30, vus: 20, maxVUs: 40, rampSeconds: 3, peakSeconds: 9 },
    },
  },
  'redis-pubsub': {
    title: 'Redis pub/sub throughput',
    load: '500 messages a second to 200 WebSockets',
    inBaselines: true,
    targets: {
      messages: {
        ratePerSecond: 500,
        deliveryPercent: 95,
        p50Ms: 50,
        p95Ms: 100,
        p99Ms: 200,
        subscribers: 200,
        publishers: 10,
      },
    },
    vus: { subscriberVUs: 4 },
    profiles: {
      full: { connectSeconds: 10, rampSeconds: 60, peakSeconds: 180, drainSeconds: 30 },
      quick: { connectSeconds: 5, rampSeconds: 10, peakSeconds: 55, drainSeconds: 30 },
      smoke: {
        targetPerSecond: 100,
        subscribers: 40,
        publishers: 4,
        connectSeconds: 2,
        rampSeconds: 2,
        peakSeconds: 8,
        drainSeconds: 10,
      },
    },
  },
  'mixed-load': {
    title: 'Mixed load',
    load: '250 messages a second to 100 WebSockets, and 50 reports a second',
    inBaselines: false,
    targets: {
      messages: {
        ratePerSecond: 250,
        deliveryPercent: 95,
        p50Ms: 50,
        p95Ms: 100,
        p99Ms: 200,
        subscribers: 100,
        publishers: 5,
      },
      reports: { ratePerSecond: 50, successPercent: 98, p50Ms: 150, p95Ms: 300, p99Ms: 500 },
    },
    vus: { subscriberVUs: 4, vus: 50, maxVUs: 100 },
    profiles: {
      full: { connectSeconds: 10, rampSeconds: 60, peakSeconds: 600, drainSeconds: 30 },
      quick: { connectSeconds: 5, rampSeconds: 10, peakSeconds: 55, drainSeconds: 30 },
      smoke: {
        targetPerSecond: 50,
        subscribers: 20,
        publishers: 2,
        vus: 10,
        maxVUs: 20,
        connectSeconds: 2,
        rampSeconds: 2,
        peakSeconds: 8,
        drainSeconds: 10,
      },
    },
  },
  'reporting-zones': {
    title: 'Zones, filters and groups',
    load: '20 metrics a second: in time zones, with filters, in groups',
    inBaselines: false,
    targets: { reports: { ratePerSecond: 20, successPercent: 98, p50Ms: 150, p95Ms: 500, p99Ms: 1000 } },
    vus: { vus: 40, maxVUs: 80 },
    profiles: {
      full: { rampSeconds: 60, peakSeconds: 300 },
      quick: { rampSeconds: 15, peakSeconds: 60 },
      smoke: { targetPerSecond: 10, vus: 10, maxVUs: 20, rampSeconds: 3, peakSeconds: 9 },
    },
  },
  'calls-export': {
    title: 'Exports and the feed of changes',
    load: '100 call events a second, and 20 requests a second for changes and exports',
    inBaselines: false,
    targets: {
      updates: { ratePerSecond: 100, successPercent: 95, p95Ms: 300, p99Ms: 500 },
      reports: { ratePerSecond: 20, successPercent: 98, p50Ms: 150, p95Ms: 1000, p99Ms: 2000 },
    },
    vus: { vus: 100, maxVUs: 200 },
    profiles: {
      full: { rampSeconds: 60, peakSeconds: 300 },
      quick: { rampSeconds: 15, peakSeconds: 60 },
      smoke: { targetPerSecond: 50, vus: 25, maxVUs: 50, rampSeconds: 3, peakSeconds: 9 },
    },
  },
  'provider-callbacks': {
    title: 'Callbacks of providers',
    load: '200 callbacks a second: status callbacks of Twilio, and call detail records',
    inBaselines: false,
    targets: { updates: { ratePerSecond: 200, successPercent: 95, p95Ms: 300, p99Ms: 500 } },
    vus: { vus: 200, maxVUs: 400 },
    profiles: {
      full: { rampSeconds: 60, peakSeconds: 180 },
      quick: { rampSeconds: 15, peakSeconds: 60 },
      smoke: { targetPerSecond: 50, vus: 25, maxVUs: 50, rampSeconds: 3, peakSeconds: 9 },
    },
  },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof SCENARIOS

/** In the order of the document. */
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as readonly ScenarioName[]

/** Those that `make baseline` measures and the document shows. */
export const BASELINE_SCENARIOS = SCENARIO_NAMES.filter((name) => SCENARIOS[name].inBaselines)

/** The shape of a scenario that sends requests, delivers messages, or does both. */
export type ShapeOf<S extends ScenarioName> = S extends ScenarioName
  ? ShapeFor<keyof (typeof SCENARIOS)[S]['targets']>
  : never
type ShapeFor<Kinds> = ('messages' extends Kinds ? LiveShape : unknown) &
  (Extract<Kinds, 'updates' | 'reports'> extends never ? unknown : RequestShape)

/**
 * The kinds of traffic that a scenario carries; the first is the one that `targetPerSecond` is about.
 *
 * @example trafficIn('redis-pubsub') // ['messages']
 */
export function trafficIn(scenario: ScenarioName): readonly [TrafficKind, ...TrafficKind[]] {
  return Object.keys(SCENARIOS[scenario].targets) as [TrafficKind, ...TrafficKind[]]
}

/**
 * Its targets; only those of the kinds that it carries are there.
 *
 * @example targetsOf('call-state-updates').updates?.ratePerSecond // 500
 */
export const targetsOf = (scenario: ScenarioName): Targets => SCENARIOS[scenario].targets

/** What a profile makes of a scenario. */
export function shapeOf<S extends ScenarioName>(profile: ProfileName, scenario: S): ShapeOf<S> {
  const { targets, vus, profiles }: Scenario = SCENARIOS[scenario]
  const { subscribers, publishers } = targets.messages ?? {}
  const live = targets.messages === undefined ? {} : { subscribers, publishers }
  const shape = { targetPerSecond: rateOf(scenario), ...live, ...vus }
  if (profile === 'soak') return { ...shape, ...profiles.full, ...SOAK } as unknown as ShapeOf<S>
  if (profile !== 'breakpoint') return { ...shape, ...profiles[profile] } as ShapeOf<S>
  const { times, ...seconds } = BREAKPOINT
  // Answers are slow where it breaks.
  const waiting = vus.maxVUs === undefined ? {} : { maxVUs: 2 * vus.maxVUs }
  const targetPerSecond = times * rateOf(scenario)
  return { ...shape, ...profiles.full, ...seconds, ...waiting, targetPerSecond } as unknown as ShapeOf<S>
}

/**
 * The rate of one kind of traffic in a scenario.
 *
 * @param kind the first of the scenario if not given
 * @param targetPerSecond of the first kind, where that is not its target: the others keep their proportion to it
 * @example rateOf('mixed-load', 'reports') // 50
 */
export function rateOf(scenario: ScenarioName, kind?: TrafficKind, targetPerSecond?: number): number {
  const targets = targetsOf(scenario)
  const first = targets[trafficIn(scenario)[0]]?.ratePerSecond ?? 0
  const own = kind === undefined ? first : (targets[kind]?.ratePerSecond ?? 0)
  return targetPerSecond === undefined ? own : (targetPerSecond * own) / first
}
