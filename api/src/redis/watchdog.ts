import { Cluster, type Redis } from 'ioredis'
import { untilBeatMs } from '../timing/beat.ts'

export type Watched = { isUp(): boolean; stop(): void }

/**
 * Asks a connection once a second whether it is there. An open socket proves nothing: its other end may be gone
 * without a word. The question arms ioredis's `socketTimeout`, which replaces a connection that stays silent.
 *
 * @param changed hears whether Redis answers, first with the first answer
 */
export function watch(client: Redis | Cluster, changed: (up: boolean) => void): Watched {
  let up = false
  const set = (next: boolean) => {
    if (next === up) return
    up = next
    changed(up)
  }
  const ask = async (): Promise<void> => {
    if (client.status !== 'ready') return set(false)
    try {
      if (client instanceof Cluster) await Promise.all(client.nodes('master').map((node) => node.ping()))
      else await client.ping()
      set(client.status === 'ready')
    } catch {
      set(false)
    }
  }
  client.on('ready', () => set(true))
  client.on('close', () => set(false))
  client.on('end', () => set(false))
  let timer = setTimeout(beat, untilBeatMs()).unref()
  function beat(): void {
    void ask()
    timer = setTimeout(beat, untilBeatMs()).unref()
  }
  return {
    isUp: () => up,
    stop: () => {
      clearTimeout(timer)
      set(false)
    },
  }
}
