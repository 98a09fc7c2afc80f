import { RUNBOOKS, type RunbookName } from '../runbook-names.ts'
import { BOARD_UIDS } from './board.ts'

export const runbookPanelId = (name: RunbookName): number => RUNBOOKS.indexOf(name) + 1

/** Within one Grafana, which finds the board by its uid and the panel by its number: the name is for people. */
export const runbookLink = (name: RunbookName): string =>
  `/d/${BOARD_UIDS.runbooks}/${name}?viewPanel=panel-${runbookPanelId(name)}`
