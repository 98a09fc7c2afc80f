/**
 * Loaded into an API instance ahead of it (`--import`): its time of day is that of the machine plus the milliseconds in
 * the file that CLOCK_SHIFT_FILE names, which is looked at ten times a second.
 *
 * Only a whole machine has its clock stepped, and every other program on it would be stepped with it: no name space of
 * Linux has a time of day of its own. What the instance asks is `Date`, and so it is there that the step is made; what
 * measures durations (performance.now, timers) goes on as it does on a machine whose clock is stepped.
 */
import { readFileSync } from 'node:fs'

const file = process.env.CLOCK_SHIFT_FILE ?? ''
const RealDate = Date
let shiftMs = 0

setInterval(() => {
  try {
    shiftMs = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    // Not yet there, or gone with the platform.
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
