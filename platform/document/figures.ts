/** Figures as text for people. Independent of the locale, so a figure is the same text everywhere. */

/** `1,204`, `0.5`, `-3`. */
export function number(value: number, decimals = 0): string {
  const [whole = '0', fraction] = Math.abs(value).toFixed(decimals).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`
  return value < 0 && /[1-9]/.test(text) ? `-${text}` : text
}

/** Smaller figures have more decimals: `0.04`, `8.3`, `24`, `1,204`. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size < 0.1) return number(value, 3)
  if (size < 1) return number(value, 2)
  return number(value, size < 10 ? 1 : 0)
}

export const ms = (value: number): string => `${figure(value)} ms`

/** @param share 0 to 1 */
export const percent = (share: number): string => `${figure(100 * share)} %`

/** `512 B`, `3.4 MB`, in steps of 1024. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10))
  const value = count / 1024 ** power
  return `${power === 0 ? number(value) : figure(value)} ${units[power]}`
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}
