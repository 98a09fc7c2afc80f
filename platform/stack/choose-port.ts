/**
 * Reserves the API's port until its instances listen on it, some ten seconds later. If instances share the port, the
 * kernel lets any process of this user share it: a second stack that starts at that moment would answer some requests.
 */
import { createServer } from 'node:net'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { Failure } from '../command-line/failure.ts'
import { freePort, portIsFree } from '../machine/free-port.ts'
import { countListeners, type PortHolder, portHolders } from './port-holders.ts'

/** When the port is taken, `required` fails and `preferred` takes another one. */
export type PortWish = { readonly number: number; readonly when: 'required' | 'preferred' }

export type HeldPort = {
  readonly number: number
  /** Call it when instances that share the port are ready, or before a single instance starts. */
  release(): Promise<void>
}

export type HoldOptions = {
  readonly host: string
  /** Whether several processes will listen on it. */
  readonly shared: boolean
}

const ATTEMPTS = 20

/** @throws {Failure} naming the port and the process that has it */
export async function choosePort({ number, when }: PortWish, options: HoldOptions): Promise<HeldPort> {
  const wished = await hold(number, options)
  if (wished !== undefined) return wished
  if (when === 'required') {
    throw new Failure(
      `port ${number}, where the API is to listen, is in use${byWhom(portHolders(number))}; ` +
        `stop that, or choose another: PORT=${number === DEFAULT_PORT ? DEFAULT_PORT + 1000 : DEFAULT_PORT} make up`,
    )
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const other = await hold(await freePort(), options)
    if (other !== undefined) return other
  }
  throw new Failure(`none of ${ATTEMPTS} ports could be held for the API`)
}

/**
 * Checks that only these processes listen on the port, as far as this user can see; Linux only.
 *
 * @throws {Failure} naming other processes that listen on it
 */
export function checkAlone(port: number, own: ReadonlySet<number>): void {
  const strangers = portHolders(port).filter(({ pid }) => !own.has(pid))
  if (strangers.length === 0) return
  throw new Failure(
    `port ${port} is shared with${byWhom(strangers, '')}, which answers a part of the requests; stop it`,
  )
}

/** @returns undefined when another process has it, or is about to take it */
async function hold(number: number, { host, shared }: HoldOptions): Promise<HeldPort | undefined> {
  if (!(await portIsFree(number, '0.0.0.0'))) return undefined
  // The port is not published yet. A connection is closed at once, as before the start.
  const server = createServer((socket) => socket.destroy())
  const held = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen({ port: number, host, reusePort: shared }, () => resolve(true))
  })
  if (!held) return undefined
  const release = () => new Promise<void>((resolve) => server.close(() => resolve()))
  // If two find it free at once, at least one sees the other here.
  if (shared && countListeners(number) > 1) {
    await release()
    return undefined
  }
  server.unref()
  return { number, release }
}

const byWhom = (holders: readonly PortHolder[], by = ' by'): string =>
  holders.length === 0 ? '' : `${by} ${holders.map(({ name, pid }) => `${name} (process ${pid})`).join(' and ')}`
