/**
 * A result on its way through a container's log.
 *
 * A container's two outputs share one log, and whatever is longer than 16 KiB is written there in pieces: what k6 says
 * on standard error (that thresholds were crossed, just after the result) ends up in the middle of a long line. Shorter
 * lines stay whole. So a result is cut into numbered lines that carry a checksum of the whole, and is either read back
 * exactly or not at all.
 */

/** Characters of a piece: with its head, and at four bytes a character, below 16 KiB. */
const PIECE = 3_500
const MARK = 'hopwhistle-result'
/** To a regular expression U+2028 and U+2029 end a line; in JSON they may stand in a string as they are. */
const LINE = new RegExp(`^${MARK} ([0-9a-f]{8}) (\\d+)/(\\d+) (.*)$`, 's')

/** @param text without line breaks, as JSON is */
export function toLogLines(text: string): readonly string[] {
  const sum = checksum(text)
  const count = Math.max(1, Math.ceil(text.length / PIECE))
  return Array.from(
    { length: count },
    (_, i) => `${MARK} ${sum} ${i + 1}/${count} ${text.slice(i * PIECE, (i + 1) * PIECE)}`,
  )
}

/**
 * Finds the text in a log, whatever else is there.
 *
 * @returns the last one that is there completely; undefined when there is none
 */
export function fromLogLines(log: string): string | undefined {
  const pieces = new Map<string, string[]>()
  let found: string | undefined
  for (const line of log.split('\n')) {
    const [, sum, place, count, piece = ''] = LINE.exec(line.replace(/\r$/, '')) ?? []
    if (sum === undefined) continue
    const key = `${sum} ${count}`
    const parts = pieces.get(key) ?? []
    parts[Number(place) - 1] = piece
    pieces.set(key, parts)
    if (Number(place) !== Number(count)) continue
    const text = parts.join('')
    if (parts.length === Number(count) && checksum(text) === sum) found = text
  }
  return found
}

/** FNV-1a over UTF-16 code units: enough to tell a damaged text, and the same in k6 and in Node. */
function checksum(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
