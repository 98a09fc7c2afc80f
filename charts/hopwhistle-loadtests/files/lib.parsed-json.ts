/** @returns undefined for what is not JSON */
export function parsedJson(body: unknown): unknown {
  try {
    return JSON.parse(String(body))
  } catch {
    return undefined
  }
}
