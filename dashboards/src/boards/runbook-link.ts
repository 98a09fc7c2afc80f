import { RUNBOOKS, type RunbookName } from '../runbook-names.ts'
import { BOARD_UIDS } from './board.ts'

export const runbookPanelId = (name: RunbookName): number => RUNBOOKS.indexOf(name) + 1

/** Within one Grafana. */
export const runbookLink = (name: RunbookName): string =>
  `/d/${BOARD_UIDS.runbooks}/runbooks?viewPanel=panel-${runbookPanelId(name)}`
