/** Converts figures to pixels, and has the ticks of the axis. */
export type Scale = {
  readonly ticks: readonly number[]
  at(value: number): number
}

/** Equal steps from 0, for rates. */
export function linearScale(max: number, fromPixel: number, toPixel: number, mostTicks: number): Scale {
  const step = niceStep(Math.max(max, 1e-9) / mostTicks)
  const end = step * Math.ceil(max / step - 1e-9)
  return {
    ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, i) => Number((i * step).toPrecision(12))),
    at: (value) => fromPixel + ((toPixel - fromPixel) * value) / end,
  }
}

/** A logarithmic scale, for latencies: 3 ms and a target of 300 ms are both legible. */
export function logScale(min: number, max: number, fromPixel: number, toPixel: number): Scale {
  const high = Math.log10(niceAbove(max))
  const fine = Math.log10(niceBelow(min))
  const factors = high - fine <= 2.4 ? [1, 2, 5] : [1]
  // If only whole powers have a line, the scale begins with one.
  const low = factors.length > 1 ? fine : Math.floor(fine + 1e-9)
  const decades = high - low
  const ticks: number[] = []
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const factor of factors) {
      const tick = factor * 10 ** power
      if (Math.log10(tick) >= low - 1e-9 && Math.log10(tick) <= high + 1e-9) ticks.push(Number(tick.toPrecision(3)))
    }
  }
  return { ticks, at: (value) => fromPixel + ((toPixel - fromPixel) * (Math.log10(value) - low)) / decades }
}

/** Steps of minutes and seconds. */
export function timeScale(seconds: number, fromPixel: number, toPixel: number, mostTicks: number): Scale {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]
  const step = steps.find((one) => seconds / one <= mostTicks) ?? 7200
  return {
    ticks: Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, i) => i * step),
    at: (value) => fromPixel + ((toPixel - fromPixel) * value) / seconds,
  }
}

const NICE = [1, 2, 5, 10]

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  return (NICE.find((factor) => factor * power >= rough - 1e-12) ?? 10) * power
}

function niceBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return (NICE.findLast((factor) => factor * power <= value * (1 + 1e-9)) ?? 1) * power
}

function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return (NICE.find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10) * power
}
