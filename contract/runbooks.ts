/**
 * Where an alert says that its runbook is: a panel of the board Runbooks, in the Grafana of one's own machine. Who has
 * another Grafana, or wants the files themselves, puts that address in its place.
 */
export const GRAFANA_URL = 'http://localhost:3000'

export const RUNBOOKS_UID = 'hopwhistle-runbooks'

/** Such a link, for JavaScript and Go alike; its group is the name of the runbook, which the file has with `.md`. */
export const RUNBOOK_LINK = `${GRAFANA_URL}/d/${RUNBOOKS_UID}/([a-z-]+)[?]viewPanel=panel-[0-9]+`
