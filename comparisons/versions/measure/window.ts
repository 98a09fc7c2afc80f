/** A pair of windows: both sides get the same load at once, so that whatever disturbs one disturbs the other. */
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { startPostgresCounters } from '../../event-cost/postgres-work.ts'
import { type CpuUse, startCpuMeter, type WatchedGroups } from '../../measure/cpu-meter.ts'
import { type Both, COMPONENTS, type Component, type Kind, SIDES, type Side, type WindowPair } from '../measured.ts'
import type { RunningSide } from './side.ts'

/**
 * @param order which side is told to begin first
 * @param times the usual rate
 * @throws {Failure} naming the side that did not do what was asked of it
 */
export async function measureWindow(
  kind: Kind,
  seconds: number,
  sides: Both<RunningSide>,
  order: readonly [Side, Side],
  times = 1,
): Promise<WindowPair> {
  const each = async <T>(of: (side: Side) => Promise<T>): Promise<Both<T>> => {
    const [first, second] = await Promise.all(order.map((side) => named(side, kind, () => of(side))))
    return { [order[0]]: first!, [order[1]]: second! } as Both<T>
  }
  const loads = await each((side) => sides[side].prepare(kind, times))
  try {
    const counters = await each((side) => startPostgresCounters(sides[side].databaseUrl))
    const stopMeter = startCpuMeter(groupsOf(sides))
    const answered = await each((side) => loads[side].run(seconds))
    const cpu = stopMeter()
    const work = await each((side) => counters[side]())
    return {
      kind,
      seconds: cpu.seconds,
      idleShare: cpu.idleShare,
      sides: bothOf((side) => ({
        ...answered[side],
        cpuSeconds: cpuOf(cpu, side),
        walBytes: work[side].walBytes,
        statements: work[side].statements,
      })),
    }
  } finally {
    await each((side) => loads[side].end())
  }
}

export const bothOf = <T>(of: (side: Side) => T): Both<T> => ({ base: of('base'), head: of('head') })

const groupsOf = (sides: Both<RunningSide>): WatchedGroups =>
  Object.fromEntries(
    SIDES.flatMap((side) =>
      COMPONENTS.map((component) => [`${side} ${component}`, [sides[side].pids[component]]] as const),
    ),
  )

const cpuOf = ({ cpuSeconds }: CpuUse, side: Side): Readonly<Record<Component, number>> =>
  Object.fromEntries(
    COMPONENTS.map((component) => [component, cpuSeconds[`${side} ${component}`] ?? 0]),
  ) as unknown as Record<Component, number>

async function named<T>(side: Side, kind: Kind, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new Failure(`${kind} of the ${side}: ${(cause as Error).message}`, { cause })
  }
}
