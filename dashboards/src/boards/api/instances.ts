import { figure, lines } from '../../panels/panel.ts'
import { below, courseOnly, isUp } from '../../panels/thresholds.ts'
import * as instances from '../../queries/instances.ts'
import type { BoardRow } from '../board.ts'

export const instanceRow: BoardRow = {
  title: 'Instances',
  panels: [
    lines({
      title: 'Event loop busy',
      unit: 'percentunit',
      description: 'The share of time in which an instance is busy. Good is below 80 %: above, everything waits.',
      thresholds: below(0.9),
      queries: [instances.eventLoop],
      runbook: 'event-loop-busy',
      max: 1,
    }),
    lines({
      title: 'Event loop late by',
      unit: 's',
      description: 'p99 of the event loop delay, for each process. Good is below 50 ms.',
      thresholds: below(0.1),
      queries: [instances.eventLoopLag],
      runbook: 'event-loop-busy',
    }),
    lines({
      title: 'CPU',
      unit: 'cores',
      description: 'Cores that an instance uses. Good is below 1: most of its work is on one thread.',
      thresholds: below(1),
      queries: [instances.cpu],
      runbook: 'cpu-throttled',
    }),
    lines({
      title: 'Memory',
      unit: 'bytes',
      description: 'Resident memory. Good is a level line; a rise over hours is a leak.',
      thresholds: courseOnly,
      queries: [instances.memory],
      runbook: 'memory-near-limit',
    }),
    lines({
      title: 'Heap in use',
      unit: 'bytes',
      description: 'Good is a sawtooth whose lowest points do not rise.',
      thresholds: courseOnly,
      queries: [instances.heap],
      runbook: 'memory-near-limit',
    }),
    lines({
      title: 'Garbage collection',
      unit: 'percentunit',
      description: 'The share of time spent in garbage collection, over all instances. Good is below 5 % of each.',
      thresholds: below(0.1),
      queries: [instances.gc],
    }),
    lines({
      title: 'Open files',
      unit: 'none',
      description: 'Files and sockets of an instance. Good follows its connections; 1,000 sockets are the limit.',
      thresholds: courseOnly,
      queries: [instances.openFiles],
    }),
    figure({
      title: 'Running since',
      unit: 's',
      description: 'Good is since the last deployment. An instance that is younger than the others was restarted.',
      thresholds: courseOnly,
      queries: [instances.startedAt],
      width: 8,
    }),
    figure({
      title: 'Node versions',
      unit: 'none',
      description: 'Instances by version of Node. Good is one version, except during a rollout.',
      thresholds: isUp,
      queries: [instances.versions],
      width: 8,
    }),
  ],
}
