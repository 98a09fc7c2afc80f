/**
 * Samples every server while a scenario runs.
 *
 * new ──begin()──▶ sampling ──end()──▶ ended
 *
 * new       nothing is connected
 * sampling  statistics that can be set back were; a sample is taken on a fixed beat, all sources at once
 * ended     everything is closed; the evidence is complete
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { readCpuAllowance } from '@hopwhistle/platform/machine/cpu-allowance.ts'
import { apiSource } from './api-source.ts'
import { otherProgramsSource } from './other-programs.ts'
import { postgresSource } from './postgres-source.ts'
import { machineSource, processSource, type WatchedProcess } from './process-source.ts'
import { redisSource } from './redis-source.ts'
import { countRowsOfRun } from './rows-of-run.ts'
import { createSeriesRecorder, type SeriesRecorder } from './series-recorder.ts'
import { type KubernetesEvidence, SERVER_EVIDENCE_FORMAT, type ServerEvidence } from './server-evidence.ts'
import type { Source } from './source.ts'

export type SamplerTargets = {
  readonly api: readonly { readonly id: string; readonly adminUrl: string }[]
  /** As a role that may see all statistics. */
  readonly postgres?: { readonly primaryUrl: string; readonly replicaUrl?: string }
  readonly redisUrl?: string
  /** The run whose rows are counted in Postgres at the end; absent: none are. */
  readonly runId?: string
  /** Those on this machine; absent when nothing of the run is on it. */
  readonly processes?: readonly WatchedProcess[]
  readonly kubernetes?: Source<KubernetesEvidence>
}

export type Sampler = { end(): Promise<ServerEvidence> }

/** @param everyMs the beat, from 500; a tenth of it is more than a sample takes */
export async function beginSampling(targets: SamplerTargets, everyMs: number): Promise<Sampler> {
  const startedAtMs = Date.now()
  const omitted: string[] = []
  const clock = createSeriesRecorder(startedAtMs)
  const samples: ((atMs: number) => Promise<void>)[] = []

  /** A source with a recorder of its own; without it, in case that it cannot even begin. */
  const watch = async <T>(name: string, source: Source<T>) => {
    const recorder = createSeriesRecorder(startedAtMs)
    try {
      await source.begin()
    } catch (error) {
      omitted.push(`${name} was not sampled: ${(error as Error).message}`)
      await source.close()
      return async () => undefined
    }
    samples.push((atMs) => sampleInto(source, recorder, atMs))
    return async () => {
      try {
        const evidence = await source.end(recorder)
        if (evidence === undefined) omitted.push(`${name} never answered`)
        return evidence
      } catch (error) {
        omitted.push(`the evidence of ${name} is incomplete: ${(error as Error).message}`)
        return undefined
      } finally {
        await source.close()
      }
    }
  }

  const { processes: watched } = targets
  const linux = process.platform === 'linux'
  if (watched !== undefined && !linux)
    omitted.push(`CPU, memory, disk and network were not sampled: that needs Linux, this is ${process.platform}`)
  const local = linux ? watched : undefined
  const endMachine = local && (await watch('the machine', machineSource(readCpuAllowance())))
  const endProcesses = local && (await watch('the processes', processSource(local)))
  const endOthers = local && (await watch('other programs', otherProgramsSource(local)))
  const endKubernetes = targets.kubernetes && (await watch('Kubernetes', targets.kubernetes))
  const endApi = await Promise.all(targets.api.map(({ id, adminUrl }) => watch(id, apiSource(id, adminUrl))))
  const { postgres, redisUrl } = targets
  const endPrimary = postgres && (await watch('the Postgres primary', postgresSource('primary', postgres.primaryUrl)))
  const endReplica = postgres?.replicaUrl
    ? await watch('the Postgres replica', postgresSource('replica', postgres.replicaUrl))
    : undefined
  const endRedis = redisUrl === undefined ? undefined : await watch('Redis', redisSource(redisUrl))

  const rowsOf = async (primaryUrl: string, runId: string | undefined) => {
    if (runId === undefined) return undefined
    return countRowsOfRun(primaryUrl, runId).catch((error: Error) => {
      omitted.push(`the rows of the run were not counted: ${error.message}`)
      return undefined
    })
  }

  const stopping = new AbortController()
  const takeSample = async () => {
    const atMs = Date.now()
    clock.begin(atMs)
    await Promise.all(samples.map((sample) => sample(atMs)))
  }
  // The first one is complete before the load can begin, and the last one is taken after it ended, so that what
  // counters grew by is all that they counted of it.
  await takeSample()
  const sampling = (async () => {
    let next = performance.now() + everyMs
    while (!stopping.signal.aborted) {
      await sleep(Math.max(0, next - performance.now()), undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) break
      await takeSample()
      next = Math.max(next + everyMs, performance.now())
    }
  })()

  return {
    async end() {
      stopping.abort()
      await sampling
      await takeSample()
      const [machine, processes, otherPrograms, kubernetes, primary, replica, redis, ...api] = await Promise.all([
        endMachine?.(),
        endProcesses?.(),
        endOthers?.(),
        endKubernetes?.(),
        endPrimary?.(),
        endReplica?.(),
        endRedis?.(),
        ...endApi.map((end) => end()),
      ])
      const rowsOfRun = primary && postgres && (await rowsOf(postgres.primaryUrl, targets.runId))
      return {
        format: SERVER_EVIDENCE_FORMAT,
        startedAt: new Date(startedAtMs).toISOString(),
        endedAt: new Date().toISOString(),
        atSeconds: clock.atSeconds(),
        ...(machine === undefined ? {} : { machine }),
        processes: processes ?? [],
        ...(otherPrograms === undefined ? {} : { otherPrograms }),
        api: api.filter((evidence) => evidence !== undefined),
        apiInstances: targets.api.length,
        ...(primary === undefined
          ? {}
          : {
              postgres: {
                primary,
                ...(replica === undefined ? {} : { replica }),
                ...(rowsOfRun === undefined ? {} : { rowsOfRun }),
              },
            }),
        ...(postgres === undefined || targets.runId === undefined ? {} : { rowsOfRunId: targets.runId }),
        ...(redis === undefined ? {} : { redis }),
        ...(kubernetes === undefined ? {} : { kubernetes }),
        omitted,
      }
    },
  }
}

async function sampleInto(source: Source<unknown>, recorder: SeriesRecorder, atMs: number): Promise<void> {
  recorder.begin(atMs)
  await source.sample(recorder).catch(() => {})
}
