/** Wording that several sections share. */
import type { Environment } from '../../sample/environment.ts'

/** A reason of a verdict, as a sentence. */
export const sentence = (text: string): string =>
  text.startsWith('k6 ') ? `${text}.` : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

export function commitText({ commit, dirty }: Environment['source']): string {
  if (commit === undefined) return 'unknown'
  return `\`${commit.slice(0, 12)}\`${dirty ? ', with changes' : ''}`
}
