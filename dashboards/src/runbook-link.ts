import { BOARD_UIDS } from './board-names.ts'
import { RUNBOOKS } from './runbook-names.ts'

/** The page of the board with the addresses for all runbooks' commands. */
export const ADDRESSES = 'addresses'
export const RUNBOOK_PAGES = [...RUNBOOKS, ADDRESSES] as const
export type RunbookPage = (typeof RUNBOOK_PAGES)[number]

export const runbookPanelId = (name: RunbookPage): number => RUNBOOK_PAGES.indexOf(name) + 1

/** A link within Grafana, which finds the board by its uid and the panel by its number. The name is only for people. */
export const runbookLink = (name: RunbookPage): string =>
  `/d/${BOARD_UIDS.runbooks}/${name}?viewPanel=panel-${runbookPanelId(name)}`
