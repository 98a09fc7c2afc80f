/**
 * Latencies are counted in logarithmic buckets, so that the counts of any number of runners add up to the
 * true distribution: bucket i holds (min·γ^(i-1), min·γ^i] with γ = (1+e)/(1-e), and its estimate
 * 2·min·γ^i/(γ+1) is within the relative error e of every value in it (DDSketch, Masson et al., VLDB 2019).
 */
export const LATENCY_BUCKETS = { minMs: 0.1, relativeError: 0.01, count: 705 } as const

/** γ: each edge is so many times the one before. @example gamma(0.01) // 1.0202… */
export const gamma = (relativeError: number): number => (1 + relativeError) / (1 - relativeError)
