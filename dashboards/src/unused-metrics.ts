/** Metrics of the API that no board shows, each with the reason. A metric that is neither shown nor listed here fails a test. */
export const DELIBERATELY_UNUSED: Readonly<Record<string, string>> = {
  hopwhistle_time_zones_differing:
    'said in the log at the start; it changes with the versions of Node and Postgres only',
  process_cpu_user_seconds_total: 'part of process_cpu_seconds_total',
  process_cpu_system_seconds_total: 'part of process_cpu_seconds_total',
  process_virtual_memory_bytes: 'address space, which V8 reserves and does not use',
  process_heap_bytes: 'part of process_resident_memory_bytes, and nodejs_heap_size_used_bytes says more',
  process_max_fds: 'a constant of the container',
  nodejs_active_resources: 'for a debugger: what it counts is named by other gauges',
  nodejs_active_resources_total: 'for a debugger: what it counts is named by other gauges',
  nodejs_active_handles: 'for a debugger: what it counts is named by other gauges',
  nodejs_active_handles_total: 'for a debugger: what it counts is named by other gauges',
  nodejs_active_requests: 'for a debugger: what it counts is named by other gauges',
  nodejs_active_requests_total: 'for a debugger: what it counts is named by other gauges',
  nodejs_heap_size_total_bytes: 'what V8 has reserved; nodejs_heap_size_used_bytes is what a leak shows in',
  nodejs_external_memory_bytes: 'part of process_resident_memory_bytes',
  nodejs_heap_space_size_total_bytes: 'for a debugger',
  nodejs_heap_space_size_used_bytes: 'for a debugger',
  nodejs_heap_space_size_available_bytes: 'for a debugger',
}
