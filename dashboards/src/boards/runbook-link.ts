import { RUNBOOKS } from '../runbook-names.ts'
import { BOARD_UIDS } from './board.ts'

/** What the commands of all runbooks talk to: a page of the board beside them. */
export const ADDRESSES = 'addresses'
export const RUNBOOK_PAGES = [...RUNBOOKS, ADDRESSES] as const
export type RunbookPage = (typeof RUNBOOK_PAGES)[number]

export const runbookPanelId = (name: RunbookPage): number => RUNBOOK_PAGES.indexOf(name) + 1

/** Within one Grafana, which finds the board by its uid and the panel by its number: the name is for people. */
export const runbookLink = (name: RunbookPage): string =>
  `/d/${BOARD_UIDS.runbooks}/${name}?viewPanel=panel-${runbookPanelId(name)}`
