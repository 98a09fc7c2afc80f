const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[,:]/g
const MAY_HAVE_EXPONENT = /\d[eE][+-]?\d/

/**
 * How long the text is, at most, that Postgres prints for JSON which it keeps as jsonb, in bytes: with a space after each comma
 * and colon, and with numbers written out, so that 1e308 has 309 digits.
 *
 * @param json as JSON.stringify writes it
 */
export function storedBytes(json: string): number {
  let more = 0
  for (const [token] of json.matchAll(TOKENS)) {
    if (token === ',' || token === ':') more += 1
    else if (!token.startsWith('"')) more += writtenOut(token) - token.length
  }
  return Buffer.byteLength(json) + more
}

/** Whether that is worth asking: without an exponent it is not half as long again as the JSON. */
export const mayBeLongWhenStored = (json: string): boolean => MAY_HAVE_EXPONENT.test(json)

function writtenOut(number: string): number {
  const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = Math.max(1, whole.length + Number(exponent))
  const scale = Math.max(0, fraction.length - Number(exponent))
  return (number.startsWith('-') ? 1 : 0) + digits + (scale > 0 ? 1 + scale : 0)
}
