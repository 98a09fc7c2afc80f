import { isAlive } from '../machine/process-identity.ts'
import { stopServer } from './server-process.ts'
import { removeStackFolder, type StackRecord } from './stack-record.ts'

/** For the API to finish its requests; the data of the other servers is deleted anyway. */
const GRACE_MS = 15_000

/**
 * Stops all recorded processes, the API first and Postgres last, and removes the folder.
 *
 * @returns the names of the processes that ran, and of those that had to be killed
 */
export async function stopStack(
  dir: string,
  record: StackRecord,
): Promise<{ readonly stopped: readonly string[]; readonly killed: readonly string[] }> {
  const stopped: string[] = []
  const killed: string[] = []
  const stop = async (server: StackRecord['processes'][number]) => {
    const how = await stopServer(server, GRACE_MS)
    if (how !== 'gone') stopped.push(server.name)
    if (how === 'killed') killed.push(server.name)
  }
  const isApi = (server: { readonly name: string }) => server.name.startsWith('api-')
  await Promise.all(record.processes.filter(isApi).map(stop))
  for (const server of record.processes.filter((server) => !isApi(server)).toReversed()) await stop(server)
  removeStackFolder(dir)
  return { stopped, killed }
}

export function runningOf(record: StackRecord): StackRecord['processes'] {
  return record.processes.filter(isAlive)
}
