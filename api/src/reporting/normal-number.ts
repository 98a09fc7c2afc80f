/** Digits, and a plus: what nearly every number is made of. */
const PLAIN = /^[+0-9]*$/
/** A number with a plus, as people write it, or in a tel: or SIP URI. */
const WRITTEN = /^(?:(?:tel|sips?):(?:\+|%2b)([-. ()/0-9]+)(?:[;@?:].*)?|\+([-. ()/0-9]+))$/is
const SEPARATORS = /[-. ()/]/g
/** After the plus: E.164 has up to 15 digits, and no country begins with 0. */
const E164 = /^[1-9]\d{1,14}$/

/**
 * The form in which numbers are compared, filtered and grouped: of a telephone number with its country, + and digits.
 *
 * Such a number is a `+` and 2 to 15 digits of which the first is not 0, with spaces and `-.()/` anywhere in between; by
 * itself, or as the number of a `tel:` URI or the user of a `sip:` or `sips:` URI, where the plus may be `%2B` and the rest of
 * the URI does not matter. With "(0)" in it, it is none: nobody can tell whether that 0 belongs to it. Everything else is its
 * own normal form: national numbers, extensions, SIP URIs and clients with names, anonymous.
 *
 * Postgres does the same when it stores a call: hopwhistle.normal_number. A test holds the two together.
 */
export function normalNumber(given: string): string {
  if (PLAIN.test(given)) return given
  const [, inUri, alone] = WRITTEN.exec(given) ?? []
  const written = inUri ?? alone
  if (written === undefined || written.includes('(0)')) return given
  const digits = written.replaceAll(SEPARATORS, '')
  return E164.test(digits) ? `+${digits}` : given
}
