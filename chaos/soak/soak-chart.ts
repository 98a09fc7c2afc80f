import {
  heading,
  line,
  type Picture,
  pictureOption,
  roundScale,
  timeAxis,
  valueAxis,
} from '../../platform/document/chart/picture.ts'
import { COLOURS } from '../../platform/document/chart/theme.ts'
import { RESOURCES, type Resource, type Sample } from './watch-resources.ts'

const SIDES = { left: 64, right: 24 }
const FIRST_TOP = 86
const ROW = 96
const ROW_HEIGHT = 56

/** One row for each resource, over the time of the soak. */
export function soakChart(title: string, subtitle: string, samples: readonly Sample[]): Picture {
  const names = Object.keys(RESOURCES) as Resource[]
  const size = { width: 880, height: FIRST_TOP + ROW * names.length + 24 }
  const seconds = Math.max(1, samples.at(-1)?.seconds ?? 1)
  const top = (i: number) => FIRST_TOP + ROW * i
  const titleOf = (name: Resource) => {
    const { title, unit } = RESOURCES[name]
    return unit === '' ? title : `${title}, ${unit}`
  }
  return {
    ...size,
    title,
    description: `${subtitle}. ${names.map((name) => `${titleOf(name)}: ${rangeOf(samples, name)}`).join('. ')}.`,
    option: pictureOption(size, {
      title,
      subtitle,
      headings: names.map((name, i) => heading(titleOf(name), SIDES.left, top(i) - 14)),
      plots: names.map((name, i) => ({
        box: { ...SIDES, top: top(i), height: ROW_HEIGHT },
        x: timeAxis(seconds, 8, i === names.length - 1),
        y: {
          ...valueAxis(String),
          type: 'value',
          ...roundScale(Math.max(1, ...samples.map((sample) => sample[name])), 2),
        },
        series: [
          line(
            name,
            COLOURS.p50,
            samples.map((sample) => [sample.seconds, sample[name]]),
          ),
        ],
      })),
    }),
  }
}

function rangeOf(samples: readonly Sample[], name: Resource): string {
  const values = samples.map((sample) => sample[name])
  return `${Math.min(...values)} to ${Math.max(...values)}`
}
