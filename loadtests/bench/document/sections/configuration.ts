/** What a scenario did, from the settings that were in force when it ran. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { type ScenarioName, TRAFFIC, type TrafficKind, targetsOf, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import type { Measured } from '../model.ts'

export const targetOf = (scenario: ScenarioName): string =>
  trafficIn(scenario)
    .map((kind) => targetOfKind(scenario, kind))
    .join('; ')

function targetOfKind(scenario: ScenarioName, kind: TrafficKind): string {
  const { updates, reports, messages } = targetsOf(scenario)
  if (kind === 'updates' && updates !== undefined) {
    return `${number(updates.ratePerSecond)} call state updates a second, p95 below ${updates.p95Ms} ms`
  }
  if (kind === 'reports' && reports !== undefined) {
    return `${number(reports.ratePerSecond)} reports a second, p95 below ${reports.p95Ms} ms`
  }
  if (messages === undefined) return ''
  const { ratePerSecond, subscribers, p95Ms } = messages
  return (
    `${number(ratePerSecond)} messages a second to ${number(subscribers)} subscribers each ` +
    `(${number(ratePerSecond * subscribers)} deliveries a second), p95 below ${p95Ms} ms from send to receipt`
  )
}

const ONE: Readonly<Record<TrafficKind, string>> = { updates: 'an update', reports: 'a request', messages: 'a message' }

/** Of the first kind of traffic: how it is sent, and where. */
export function configurationOf({ scenario, facts: { load } }: Measured): string[] {
  const { settings, rampSeconds, peakSeconds } = load
  const offered = number(settings.offeredPerSecond ?? 0)
  const of = (name: string) => number(settings[name] ?? 0)
  const [kind] = trafficIn(scenario)
  const model = `Open model: ${ONE[kind]} is sent when it is due, however slow the answers are`
  const peak = `Peak: ${duration(peakSeconds)}, after a ramp of ${duration(rampSeconds)}. Only the peak is judged`
  const more = `1 % more than the target is offered (${offered} a second), so that the rate reached is compared with the target itself`
  const requests = [
    `${model}; ${of('vus')} virtual users, up to ${of('maxVUs')}. ${more}.`,
    `${peak}: ${number(load.sent)} ${TRAFFIC[kind].many}, ${number(load.sentInAll)} with the ramp.`,
  ]
  switch (kind) {
    case 'updates':
      return [
        ...requests,
        `Endpoint: \`POST ${ROUTES.demoCallEvent}\`, one event a request.`,
        'Each virtual user owns one call after the other and takes it through INITIATED → RINGING → ANSWERED → COMPLETED.',
      ]
    case 'reports':
      return [
        ...requests,
        `Endpoints: \`GET ${ROUTES.reportMetrics}\` by hour and by day, and \`GET ${ROUTES.reportCalls}\`.`,
        'Ranges, filters and pages vary from request to request, so that a cache alone could not answer them.',
      ]
    case 'messages':
      return [
        `Subscribers: ${plural(load.delivery?.subscribers ?? settings.subscribers ?? 0, 'WebSocket')} at \`${ROUTES.live}\`, each subscribed to \`call.*\`${onVUs(settings.subscriberVUs)}: every message is due at every one of them.`,
        `Publishers: ${of('publishers')}, posting call events to \`${ROUTES.callEvent}\` at ${offered} a second together. ${model}. ${more}.`,
        `${peak}: ${number(load.sent)} messages, ${number(load.sentInAll)} in all.`,
        'Every delivery is timed, and counted by offset; one subscriber in ten also checks the id of each message.',
        "Latency is the time from the publisher's send to the subscriber's receipt. It includes the commit to Postgres, and the time that k6 needs to handle a frame.",
      ]
  }
}

const onVUs = (count: number | undefined): string =>
  count === undefined ? '' : `, on ${plural(count, 'virtual user')}`

export function duration(seconds: number): string {
  if (seconds < 120 && seconds % 60 !== 0) return `${number(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  const rest = seconds % 60
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`
}
