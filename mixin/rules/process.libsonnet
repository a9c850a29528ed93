// Processes that Alertscaler's process target supervises, from Alertscaler's
// own /metrics. Only replicas that are ready count.
//
// A process has no disk space of its own, only reads and writes: they are
// recorded as disk_io in bytes per second, and disk is not recorded.
local promql = import '../lib/promql.libsonnet';
local source = import '../lib/source.libsonnet';

local name = 'process';
local ids = ['instance', 'policy', 'target', 'replica'];

{
  local config = $._config.process,

  // ready keeps what belongs to a ready replica.
  local ready(lines) = promql.call(
    'max by (scale_target, %s)' % promql.by(ids),
    promql.lines(lines + [
      'and on (%s)' % promql.by(ids),
      'alertscaler_replica_ready{%s} == 1' % config.selector,
    ]),
  ),
  local rate(metric) = ready(['(', promql.indent(promql.rate(metric, config.selector, config.rateWindow)), ')']),
  local gauge(metric) = ready(['%s{%s}' % [metric, config.selector]]),

  scaleSources+:: if !config.enabled then [] else [
    {
      name: name,
      rules: [
        source.usage(name, 'cpu', rate('alertscaler_replica_cpu_seconds_total')),
        source.usage(name, 'memory', gauge('alertscaler_replica_resident_memory_bytes')),
        source.usage(name, 'disk_io', rate('alertscaler_replica_disk_bytes_total')),
        source.usage(name, 'network', rate('alertscaler_replica_network_bytes_total')),
        {
          // What the configuration says one replica may use, by resource;
          // of a process, disk can only mean its reads and writes. Zero is
          // not a capacity.
          record: 'scale_target_replica_resource:capacity:sum',
          labels: { source: name },
          expr: promql.call(
            'max by (scale_target, resource, %s)' % promql.by(ids),
            'label_replace(alertscaler_replica_capacity{%s} > 0, "resource", "disk_io", "resource", "disk")' % config.selector,
          ),
        },
      ] + source.sums(name, ids),
    },
  ],
}
