import type { HelmChart } from '../values/helm-chart.ts'
import { hopwhistle } from './hopwhistle.ts'
import { loadtests } from './loadtests.ts'
import { monitoring } from './monitoring.ts'

/** Every chart that is written to charts/. */
export const CHARTS = [hopwhistle, monitoring, loadtests] as unknown as readonly HelmChart[]
