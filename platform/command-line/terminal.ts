/**
 * Progress of a command, on stderr. Results and errors are always written, elsewhere.
 *
 * On a terminal: a line for each step that is done, and below them one line that is rewritten. Without one (a file, the
 * log of a CI job): a plain line when a step begins and when it ends, with the time of day and how long it took, and in
 * between one now and then that says how far it is.
 *
 * No library: those for spinners and task lists write nothing that lasts where there is no terminal, or a line for each
 * change.
 */
import { stderr } from 'node:process'

export type Terminal = {
  /** Whether lines can be rewritten. */
  readonly live: boolean
  /**
   * Runs a step and reports its begin and end. Returns and throws what `work` does.
   *
   * @param what names the step
   * @param done gives the line for its end, without its duration. If given, that line stays on a terminal, too
   */
  during<T>(what: string, work: () => Promise<T>, done?: (result: T) => string): Promise<T>
  /** Prints a line about something that is done; it stays. */
  step(text: string): void
  /** Shows what happens now; the next call or step replaces it. */
  show(text: string): void
  clear(): void
}

/** The shortest time between two redraws, for terminals over slow connections. */
const REDRAW_MS = 80
/** How often a running step reports progress without a terminal. */
const PROGRESS_EVERY_MS = 30_000

export type Output = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number }

export function openTerminal(stream: Output = stderr, progressEveryMs = PROGRESS_EVERY_MS): Terminal {
  const lines = stream.isTTY === true ? rewrittenLines(stream) : plainLines(stream, progressEveryMs)
  return {
    ...lines,
    async during(what, work, done) {
      const began = performance.now()
      const took = () => `(${duration(performance.now() - began)})`
      lines.begin(`  … ${what}`)
      // For a step that shows nothing itself; other steps have already shown something newer.
      const still = setInterval(() => lines.still(`  … ${what} ${took()}`), 2 * progressEveryMs).unref()
      let result: Awaited<ReturnType<typeof work>>
      try {
        result = await work()
      } catch (error) {
        lines.end(`  ✗ ${what} ${took()}`)
        throw error
      } finally {
        clearInterval(still)
      }
      if (done === undefined) lines.end(`  ✓ ${what} ${took()}`)
      else lines.step(`  ${done(result)} ${took()}`)
      return result
    },
  }
}

type Lines = Omit<Terminal, 'during'> & {
  begin(text: string): void
  /** The end of a step that leaves no line on a terminal. */
  end(text: string): void
  /** Says that a step is still running, where nothing else shows it. */
  still(text: string): void
}

function rewrittenLines(stream: Output): Lines {
  let shown = false
  let drawnAt = 0
  const clear = () => {
    if (shown) stream.write('\r\x1b[2K')
    shown = false
  }
  const draw = (text: string) => {
    drawnAt = performance.now()
    const width = stream.columns || 80
    stream.write(`\r\x1b[2K${text.length < width ? text : `${text.slice(0, width - 2)}…`}`)
    shown = true
  }
  return {
    live: true,
    clear,
    begin: draw,
    end: clear,
    still: () => {},
    step: (text) => {
      clear()
      stream.write(`${text}\n`)
    },
    show: (text) => {
      if (!shown || performance.now() - drawnAt >= REDRAW_MS) draw(text)
    },
  }
}

function plainLines(stream: Output, progressEveryMs: number): Lines {
  let wroteAt = performance.now()
  const write = (text: string) => {
    wroteAt = performance.now()
    stream.write(`${timeOfDay()}  ${text.trimStart()}\n`)
  }
  const writeNowAndThen = (text: string) => {
    if (performance.now() - wroteAt >= progressEveryMs) write(text)
  }
  return {
    live: false,
    clear: () => {},
    begin: write,
    end: write,
    step: write,
    show: writeNowAndThen,
    still: writeNowAndThen,
  }
}

/** `04:31:10`, local. */
const timeOfDay = (): string => new Date().toTimeString().slice(0, 8)

/** `1.3 s`, `4 min 10 s`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
