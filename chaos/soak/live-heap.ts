import { waitUntil } from '../../platform/lib/wait-until.ts'

export type LiveHeap = {
  /** Collects all garbage. @returns what is left, in bytes, buffers included */
  collect(): Promise<number>
  close(): void
}

const READY_WITHIN_MS = 10_000

/**
 * Asks a Node process how much memory its live objects use, by the Chrome DevTools protocol.
 *
 * A process keeps memory that it once took, so it can grow for a long time without a leak. What is left after a
 * garbage collection tells the two apart.
 *
 * @param port where the program listens for an inspector once it gets SIGUSR1 (`--inspect-port`)
 */
export async function openLiveHeap(pid: number, port: number): Promise<LiveHeap> {
  process.kill(pid, 'SIGUSR1')
  const socket = new WebSocket(await inspectorOf(port))
  const answers = new Map<number, PromiseWithResolvers<unknown>>()
  let asked = 0
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(String(data))
    const answer = answers.get(id)
    answers.delete(id)
    if (error === undefined) answer?.resolve(result)
    else answer?.reject(new Error(`the inspector says: ${error.message}`))
  }
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {})
  socket.onclose = () => ended.reject(new Error('the inspector of the API instance has gone'))
  await Promise.race([new Promise((resolve) => socket.addEventListener('open', resolve)), ended.promise])

  function ask<T>(method: string): Promise<T> {
    asked += 1
    const answer = Promise.withResolvers<unknown>()
    answers.set(asked, answer)
    socket.send(JSON.stringify({ id: asked, method }))
    return Promise.race([answer.promise as Promise<T>, ended.promise])
  }
  return {
    collect: async () => {
      await ask('HeapProfiler.collectGarbage')
      const { usedSize, backingStorageSize } = await ask<HeapUsage>('Runtime.getHeapUsage')
      return usedSize + backingStorageSize
    },
    close: () => socket.close(),
  }
}

type HeapUsage = { readonly usedSize: number; readonly backingStorageSize: number }
type Target = { readonly webSocketDebuggerUrl: string }

async function inspectorOf(port: number): Promise<string> {
  const ask = async () => {
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as readonly Target[]
    return targets[0]?.webSocketDebuggerUrl
  }
  return waitUntil('the inspector of the API instance', ask, { timeoutMs: READY_WITHIN_MS })
}
