/** What a scenario is told by its environment (`k6 run --env NAME=value`), checked, with defaults. */
import { DEMO_API_KEY, DEMO_TENANT_ID, DEMO_TENANTS_MAX } from './contract.demo.ts'
import { DEFAULT_PORT } from './contract.routes.ts'
import {
  type LiveShape,
  PROFILE_NAMES,
  type ProfileName,
  type RequestShape,
  type ScenarioName,
  type ShapeOf,
  shapeOf,
} from './contract.scenarios.ts'
import { type Env, type EnvReader, envReader } from './lib.env-reader.ts'
import { offeredPerSecond } from './lib.profiles.ts'

export type CommonSettings = {
  readonly scenario: ScenarioName
  readonly profile: ProfileName
  readonly apiUrl: string
  /** For live delivery. */
  readonly wsUrl: string
  readonly apiKey: string
  readonly tenantId: string
  /** How many tenants share the load. If more than one, they are the demo data's. */
  readonly tenants: number
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

export type LiveSettings = CommonSettings & { readonly shape: LiveShape }
/** Of any scenario. */
export type Settings = CommonSettings & { readonly shape: RequestShape | LiveShape }
export type SettingsOf<S extends ScenarioName> = CommonSettings & { readonly shape: ShapeOf<S> }

/**
 * Settings of a scenario: those of its profile, with what the environment says instead.
 *
 * @throws {Error} naming every variable that is wrong and what it may be
 */
export function readSettings<S extends ScenarioName>(env: Env, scenario: S): SettingsOf<S>
export function readSettings(env: Env, scenario: ScenarioName): Settings {
  const read = envReader(env)
  const common = readCommon(read, scenario)
  const base = shapeOf(common.profile, scenario)
  const shape = {
    ...base,
    ...readSeconds(read, base),
    ...('subscribers' in base ? readLive(read, base, common.parallelism) : readRate(read, base)),
    ...('vus' in base ? readVUs(read, base, common.parallelism) : {}),
  }
  const wsUrl = 'subscribers' in base ? read.url('WS_URL', ['ws', 'wss'], common.apiUrl.replace(/^http/, 'ws')) : ''
  read.done(scenario)
  return { ...common, shape, wsUrl, offeredPerSecond: offeredPerSecond(shape.targetPerSecond) }
}

type Common = Omit<CommonSettings, 'offeredPerSecond' | 'wsUrl'>

function readCommon(read: EnvReader, scenario: ScenarioName): Common {
  const parallelism = read.integer('PARALLELISM', { min: 1, max: 1000 }, 'k6 processes', 1)
  const runId = read.optional('RUN_ID')
  if (runId !== undefined && !/^[A-Za-z0-9-]{1,40}$/.test(runId)) {
    read.problem(`RUN_ID is "${runId}"; it may be 1 to 40 letters, digits and dashes`)
  }
  if (runId === undefined && parallelism > 1) {
    read.problem(`RUN_ID is missing; with PARALLELISM ${parallelism} all runners need the same one`)
  }
  const tenants = read.integer('TENANTS', { min: 1, max: DEMO_TENANTS_MAX }, 'tenants', 1)
  const apiKey = read.text('API_KEY', DEMO_API_KEY)
  const tenantId = read.text('TENANT_ID', DEMO_TENANT_ID)
  if (tenants > 1 && (apiKey !== DEMO_API_KEY || tenantId !== DEMO_TENANT_ID)) {
    read.problem(`TENANTS is ${tenants}; then API_KEY and TENANT_ID may not be given: each tenant has its own`)
  }
  return {
    scenario,
    profile: read.choice('PROFILE', PROFILE_NAMES, 'quick'),
    apiUrl: read.url('API_URL', ['http', 'https'], `http://localhost:${DEFAULT_PORT}`),
    apiKey,
    tenantId,
    tenants,
    runId,
    parallelism,
    instance: read.optional('INSTANCE'),
    resultsDir: read.optional('RESULTS_DIR'),
    k6Version: read.optional('K6_VERSION'),
  }
}

const readSeconds = (read: EnvReader, base: Pick<RequestShape, 'rampSeconds' | 'peakSeconds'>) => ({
  rampSeconds: read.integer('RAMP_SECONDS', { min: 1, max: 86_400 }, 'seconds', base.rampSeconds),
  peakSeconds: read.integer('PEAK_SECONDS', { min: 1, max: 86_400 }, 'seconds', base.peakSeconds),
})

const MOST_PER_SECOND = { min: 1, max: 1_000_000 }

const readRate = (read: EnvReader, { targetPerSecond }: RequestShape) => ({
  targetPerSecond: read.integer('RATE', MOST_PER_SECOND, 'requests a second', targetPerSecond),
})

function readVUs(read: EnvReader, base: Pick<RequestShape, 'vus' | 'maxVUs'>, parallelism: number) {
  const vus = read.integer('VUS', { min: 1, max: 100_000 }, 'virtual users', base.vus)
  return {
    // The share that k6 gives a runner follows its share of maxVUs: multiples keep the shares equal.
    vus: multipleOf(parallelism, vus),
    maxVUs: multipleOf(parallelism, Math.max(base.maxVUs, 2 * vus)),
  }
}

function readLive(read: EnvReader, base: LiveShape, parallelism: number) {
  const subscribers = read.integer('SUBSCRIBERS', { min: 1, max: 100_000 }, 'WebSockets', base.subscribers)
  const subscriberVUs = read.integer('SUBSCRIBER_VUS', { min: 1, max: 10_000 }, 'subscribing VUs', base.subscriberVUs)
  return {
    targetPerSecond: read.integer('MESSAGES_PER_SECOND', MOST_PER_SECOND, 'messages a second', base.targetPerSecond),
    subscribers,
    publishers: read.integer('PUBLISHER_VUS', { min: 1, max: 10_000 }, 'publishing VUs', base.publishers),
    subscriberVUs: multipleOf(parallelism, Math.min(subscriberVUs, subscribers)),
  }
}

const multipleOf = (unit: number, count: number): number => Math.ceil(count / unit) * unit
