/**
 * What people see while something works: steps and one line that is rewritten, on stderr and only on a terminal.
 * Results and errors go elsewhere, and always.
 */
import { stderr } from 'node:process'

export type Terminal = {
  /** Whether progress is shown at all. */
  readonly live: boolean
  /** A step that is done; stays. */
  step(text: string): void
  /** What goes on right now; the next call or step takes its place. */
  show(text: string): void
  clear(): void
}

/** Redrawn no more often than this, so that a terminal over a slow line keeps up. */
const REDRAW_MS = 80

export function openTerminal(stream: NodeJS.WriteStream = stderr): Terminal {
  const live = stream.isTTY === true
  if (!live) return { live, step: () => {}, show: () => {}, clear: () => {} }
  let shown = false
  let drawnAt = 0
  const clear = () => {
    if (shown) stream.write('\r\x1b[2K')
    shown = false
  }
  return {
    live,
    clear,
    step: (text) => {
      clear()
      stream.write(`${text}\n`)
    },
    show: (text) => {
      const now = performance.now()
      if (shown && now - drawnAt < REDRAW_MS) return
      drawnAt = now
      const width = stream.columns || 80
      stream.write(`\r\x1b[2K${text.length < width ? text : `${text.slice(0, width - 2)}…`}`)
      shown = true
    },
  }
}

/** `1.3 s`, `4 min 10 s`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** `512 B`, `3.4 MB`, in steps of 1024. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10))
  const value = count / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}
