/** The few SVG elements that a chart needs, as text. */
export type Attributes = Readonly<Record<string, string | number | undefined>>

/** Rounded to a tenth of a pixel: more is not visible, and diffs stay short. */
const number = (value: number): string => String(Math.round(10 * value) / 10)

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

export function element(name: string, attributes: Attributes, content?: string): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? number(value) : escapeXml(String(value))}"`)
    .join('')
  return content === undefined ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`
}

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, escapeXml(content))

export const line = (x1: number, y1: number, x2: number, y2: number, className: string): string =>
  element('line', { x1, y1, x2, y2, class: className })

export type Point = readonly [x: number, y: number | null]

/** A path through the points, interrupted where one has no value. */
export function path(points: readonly Point[], className: string): string {
  let pen = 'M'
  const steps = points.flatMap(([x, y]) => {
    if (y === null) {
      pen = 'M'
      return []
    }
    const step = `${pen}${number(x)} ${number(y)}`
    pen = 'L'
    return [step]
  })
  return steps.length === 0 ? '' : element('path', { d: steps.join(''), class: className })
}

/** The area between the points and a base line. */
export function area(points: readonly (readonly [number, number])[], base: number, className: string): string {
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined) return ''
  const top = points.map(([x, y]) => `L${number(x)} ${number(y)}`).join('')
  const d = `M${number(first[0])} ${number(base)}${top}L${number(last[0])} ${number(base)}Z`
  return element('path', { d, class: className })
}
