/**
 * Shifts the clock of an API instance, loaded before it with `--import`. Its time of day is that of the machine plus the
 * milliseconds in the file that CLOCK_SHIFT_FILE names, read ten times a second.
 *
 * A step of the machine's clock would affect every other program: no Linux namespace has a time of day of its own. The
 * instance reads the time from `Date`, so the step is made there. Durations (performance.now, timers) are not affected,
 * as on a machine whose clock is stepped.
 */
import { readFileSync } from 'node:fs'

const file = process.env.CLOCK_SHIFT_FILE ?? ''
const RealDate = Date
let shiftMs = 0

setInterval(() => {
  try {
    shiftMs = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    // Not written yet, or removed with the platform.
  }
}, 100).unref()

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self) as object,
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})

function now(): number {
  return RealDate.now() + shiftMs
}
