// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/

/** Why a text cannot be an id or a number, or undefined when it can. */
export function unstorableText(value: string): string | undefined {
  const at = value.search(CONTROL)
  if (at >= 0) {
    const code = value.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
    return `must not contain control characters; character ${at + 1} is U+${code}`
  }
  return value.isWellFormed() ? undefined : 'must be well-formed Unicode; half of a surrogate pair is missing'
}

/** Why a JSON value cannot be stored as `jsonb`, or undefined when it can. `json` is its text. */
export function unstorableValue(value: unknown, json: string): string | undefined {
  // Only these can hide something; walking the value is for the few that have them.
  return json.includes('\\u') || json.includes('null') ? search(value) : undefined
}

function search(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'must not contain the character U+0000'
    return value.isWellFormed() ? undefined : 'must be well-formed Unicode; half of a surrogate pair is missing'
  }
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : 'must not contain numbers beyond 1.8e308, or closer to 0 than 5e-324'
  if (typeof value !== 'object' || value === null) return undefined
  if (JSON.isRawJSON(value)) return undefined
  for (const [key, inner] of Object.entries(value)) {
    const why = search(key) ?? search(inner)
    if (why !== undefined) return why
  }
  return undefined
}
