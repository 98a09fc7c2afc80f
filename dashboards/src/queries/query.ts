/**
 * Where a query has data. The check against a running stack runs the first two kinds and accepts no empty answer; queries
 * that need a cluster are only checked for syntax.
 *
 * stack       the platform and its servers, wherever they run
 * load-test   while a load test writes its metrics to Prometheus
 * kubernetes  cAdvisor, kube-state-metrics, and the backups of the chart
 */
export type Needs = 'stack' | 'load-test' | 'kubernetes'

export type Query = {
  readonly expr: string
  /** With `{{label}}` where series differ. */
  readonly legend: string
  readonly needs: Needs
  /** Only the newest values: for tables. */
  readonly instant?: true
}

export const query = (legend: string, expr: string): Query => ({ legend, expr, needs: 'stack' })
export const kubernetesQuery = (legend: string, expr: string): Query => ({ legend, expr, needs: 'kubernetes' })
export const loadTestQuery = (legend: string, expr: string): Query => ({ legend, expr, needs: 'load-test' })

/** The same, for the newest value only. */
export const now = (asked: Query): Query => ({ ...asked, instant: true })
