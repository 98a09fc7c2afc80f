/**
 * Whether a text has more characters than that, counted as JSON Schema counts them: an emoji is one, though to
 * JavaScript it is two.
 */
export function isLongerThan(maxLength: number, text: string): boolean {
  if (text.length <= maxLength) return false
  return text.length > 2 * maxLength || [...text].length > maxLength
}
