import type { SeriesRecorder } from './series-recorder.ts'

/** One of the things that are sampled. A source never throws after `open`: what does not answer is recorded as null. */
export type Source<T> = {
  /** Called once, before the load begins: sets back statistics that only grow. */
  begin(): Promise<void>
  /** Called with every sample, on a recorder of its own that is at that sample. */
  sample(recorder: SeriesRecorder): Promise<void>
  /** Called once, after the load has ended. @returns undefined when it never answered */
  end(recorder: SeriesRecorder): Promise<T | undefined>
  close(): Promise<void>
}
