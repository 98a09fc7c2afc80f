/** @hopwhistle/client: sends call events, reads reports and follows calls live, in Node and in browsers. */
export type { LiveMessage, LiveType } from '../../contract/live.ts'
export { type Api, createApi } from './api.ts'
export type { Backoff } from './backoff.ts'
export { type CallStates, createCallStates } from './call-states.ts'
export type { Call, CallsFilter } from './calls-query.ts'
export { type ChangesOptions, type ChangesPage, followChanges } from './changes.ts'
export type { Connection } from './connection.ts'
export { type CallsExport, type ExportCallsOptions, exportCalls } from './export-calls.ts'
export { type ConnectionChange, type Follower, type FollowOptions, follow } from './follow.ts'
export type { LiveGap, LivePosition } from './live-connection.ts'
export type { paths } from './openapi.ts'
export { HopwhistleError, type Problem } from './problem.ts'
export {
  type CallEvent,
  createSender,
  type FailedAttempt,
  type Failure,
  type Sender,
  type SenderOptions,
  type SendOptions,
  type SendResult,
} from './sender.ts'
