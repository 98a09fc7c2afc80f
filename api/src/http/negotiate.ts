/**
 * What a client asks for in `Accept` (RFC 9110, 12.5.1). Written here because it is this little: the package `negotiator` has no
 * types, and lets the order of the header decide between ranges of equal weight.
 */
import { NotAcceptable } from '../errors/catalogue.ts'

type Range = { readonly type: string; readonly quality: number }

const QUALITY = /^\s*q\s*=\s*(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*$/i

/**
 * The best of what is offered. Of equally good ones that which is named more exactly: `text/csv` goes before a `*` that covers it. Of those the
 * first. Without the header, the first. Parameters other than `q` say nothing.
 *
 * @throws {NotAcceptable} none of them will do
 */
export function negotiate<T extends string>(accept: string | undefined, offered: readonly T[]): T {
  if (accept === undefined || accept.trim() === '') return offered[0] as T
  const ranges = accept.split(',').flatMap(parseRange)
  let best: { readonly type: T; readonly quality: number; readonly exactness: number } | undefined
  for (const type of offered) {
    const exact = ranges.filter((range) => covers(range, type)).sort((a, b) => exactness(b) - exactness(a))[0]
    if (exact === undefined || exact.quality === 0) continue
    const found = { type, quality: exact.quality, exactness: exactness(exact) }
    const isBetter =
      best === undefined ||
      found.quality > best.quality ||
      (found.quality === best.quality && found.exactness > best.exactness)
    if (isBetter) best = found
  }
  if (best === undefined) throw NotAcceptable(accept.slice(0, 256), offered)
  return best.type
}

/** One whose weight is none is left out. */
function parseRange(given: string): readonly Range[] {
  const [type = '', ...parameters] = given.split(';')
  const weight = parameters.find((each) => /^\s*q\s*=/i.test(each))
  if (weight !== undefined && !QUALITY.test(weight)) return []
  const quality = weight === undefined ? 1 : Number(weight.slice(weight.indexOf('=') + 1))
  return [{ type: type.trim().toLowerCase(), quality }]
}

const covers = ({ type: range }: Range, type: string) =>
  range === type || range === '*/*' || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)))

/** 2 a type, 1 all of a kind, 0 everything. */
const exactness = ({ type }: Range): number => (type === '*/*' ? 0 : type.endsWith('/*') ? 1 : 2)
