/** What a scenario is told by its environment (`k6 run --env NAME=value`), checked, with defaults. */
import { DEMO_API_KEY, DEMO_TENANT_ID } from './contract.demo.ts'
import { DEFAULT_PORT } from './contract.routes.ts'
import type { ScenarioName } from './contract.slos.ts'
import { type Env, type EnvReader, envReader } from './lib.env-reader.ts'
import {
  type LiveShape,
  offeredPerSecond,
  PROFILE_NAMES,
  type ProfileName,
  type RequestShape,
  type Shapes,
  shapeOf,
} from './lib.profiles.ts'

export type CommonSettings = {
  readonly scenario: ScenarioName
  readonly profile: ProfileName
  readonly apiUrl: string
  readonly apiKey: string
  readonly tenantId: string
  /** Begins every id that this run creates. Absent: made up when the test starts. */
  readonly runId: string | undefined
  /** How many k6 processes share the load. */
  readonly parallelism: number
  readonly instance: string | undefined
  /**
   * Where the result goes: a folder; `-` for one line on standard output; `log` for standard output as a container's
   * log keeps it. Absent: loadtests/results.
   */
  readonly resultsDir: string | undefined
  readonly k6Version: string | undefined
  readonly offeredPerSecond: number
}

export type RequestSettings = CommonSettings & { readonly shape: RequestShape }
export type LiveSettings = CommonSettings & { readonly shape: LiveShape; readonly wsUrl: string }

/**
 * Settings of the two scenarios that send requests at a rate.
 *
 * @throws {Error} naming every variable that is wrong and what it may be
 */
export function readRequestSettings(env: Env, scenario: 'call-state-updates' | 'reporting-endpoints'): RequestSettings {
  const read = envReader(env)
  const common = readCommon(read, scenario)
  const base = shapeOf(common.profile, scenario)
  const vus = read.integer('VUS', { min: 1, max: 100_000 }, 'virtual users', base.vus)
  const shape: RequestShape = {
    ...base,
    ...readSeconds(read, base),
    targetPerSecond: read.integer('RATE', { min: 1, max: 1_000_000 }, 'requests a second', base.targetPerSecond),
    // The share that k6 gives a runner follows its share of maxVUs: multiples keep the shares equal.
    vus: multipleOf(common.parallelism, vus),
    maxVUs: multipleOf(common.parallelism, Math.max(base.maxVUs, 2 * vus)),
  }
  read.done(scenario)
  return { ...common, shape, offeredPerSecond: offeredPerSecond(shape.targetPerSecond) }
}

/** Settings of the live scenario. @throws {Error} as `readRequestSettings` */
export function readLiveSettings(env: Env): LiveSettings {
  const read = envReader(env)
  const common = readCommon(read, 'redis-pubsub')
  const base = shapeOf(common.profile, 'redis-pubsub')
  const subscribers = read.integer('SUBSCRIBERS', { min: 1, max: 100_000 }, 'WebSockets', base.subscribers)
  const subscriberVUs = read.integer('SUBSCRIBER_VUS', { min: 1, max: 10_000 }, 'subscribing VUs', base.subscriberVUs)
  const shape: LiveShape = {
    ...base,
    ...readSeconds(read, base),
    targetPerSecond: read.integer(
      'MESSAGES_PER_SECOND',
      { min: 1, max: 1_000_000 },
      'messages a second',
      base.targetPerSecond,
    ),
    subscribers,
    publishers: read.integer('PUBLISHER_VUS', { min: 1, max: 10_000 }, 'publishing VUs', base.publishers),
    subscriberVUs: multipleOf(common.parallelism, Math.min(subscriberVUs, subscribers)),
  }
  const wsUrl = read.url('WS_URL', ['ws', 'wss'], common.apiUrl.replace(/^http/, 'ws'))
  read.done('redis-pubsub')
  return { ...common, shape, wsUrl, offeredPerSecond: offeredPerSecond(shape.targetPerSecond) }
}

function readCommon(read: EnvReader, scenario: ScenarioName): Omit<CommonSettings, 'offeredPerSecond'> {
  const parallelism = read.integer('PARALLELISM', { min: 1, max: 1000 }, 'k6 processes', 1)
  const runId = read.optional('RUN_ID')
  if (runId !== undefined && !/^[A-Za-z0-9-]{1,40}$/.test(runId)) {
    read.problem(`RUN_ID is "${runId}"; it may be 1 to 40 letters, digits and dashes`)
  }
  if (runId === undefined && parallelism > 1) {
    read.problem(`RUN_ID is missing; with PARALLELISM ${parallelism} all runners need the same one`)
  }
  return {
    scenario,
    profile: read.choice('PROFILE', PROFILE_NAMES, 'quick'),
    apiUrl: read.url('API_URL', ['http', 'https'], `http://localhost:${DEFAULT_PORT}`),
    apiKey: read.text('API_KEY', DEMO_API_KEY),
    tenantId: read.text('TENANT_ID', DEMO_TENANT_ID),
    runId,
    parallelism,
    instance: read.optional('INSTANCE'),
    resultsDir: read.optional('RESULTS_DIR'),
    k6Version: read.optional('K6_VERSION'),
  }
}

function readSeconds(read: EnvReader, base: Shapes[ScenarioName]): { rampSeconds: number; peakSeconds: number } {
  return {
    rampSeconds: read.integer('RAMP_SECONDS', { min: 1, max: 86_400 }, 'seconds', base.rampSeconds),
    peakSeconds: read.integer('PEAK_SECONDS', { min: 1, max: 86_400 }, 'seconds', base.peakSeconds),
  }
}

const multipleOf = (unit: number, count: number): number => Math.ceil(count / unit) * unit
