// Whole machines, from node_exporter. A machine is one replica of the
// scale_target that relabelling gave its scrape target.
local promql = import '../lib/promql.libsonnet';
local source = import '../lib/source.libsonnet';

local name = 'node';
local ids = ['instance'];

{
  local config = $._config.node,
  local by = 'by (scale_target, instance)',

  local rate(metric, selector) = promql.rate(metric, '%s, %s' % [config.selector, selector], config.rateWindow),
  // Of a device that is mounted twice one mount counts.
  local disk(expr) = 'sum %s (max by (scale_target, instance, device) (%s))' % [by, expr],
  local diskSelector = '%s, %s' % [config.selector, config.diskSelector],

  scaleSources+:: if !config.enabled then [] else [
    {
      name: name,
      rules: [
               source.usage(name, 'cpu', promql.call(
                 'sum ' + by, rate('node_cpu_seconds_total', 'mode!~"%s"' % config.cpuIdleModes),
               )),
               source.usage(name, 'memory', promql.call(
                 'max ' + by, |||
                   node_memory_MemTotal_bytes{%(selector)s}
                   -
                   node_memory_MemAvailable_bytes{%(selector)s}
                 ||| % config,
               )),
               // Space reserved for root is not available, so it counts as used.
               source.usage(name, 'disk', disk('node_filesystem_size_bytes{%(s)s} - node_filesystem_avail_bytes{%(s)s}' % { s: diskSelector })),
               source.usage(name, 'network', promql.lines([
                 promql.call('sum ' + by, rate('node_network_receive_bytes_total', config.networkSelector)),
                 '+',
                 promql.call('sum ' + by, rate('node_network_transmit_bytes_total', config.networkSelector)),
               ])),
             ] +
             source.capacities(name, ids, {
               cpu: 'count %s (node_cpu_seconds_total{%s, mode="idle"})' % [by, config.selector],
               memory: 'max %s (node_memory_MemTotal_bytes{%s})' % [by, config.selector],
               disk: disk('node_filesystem_size_bytes{%s}' % diskSelector),
             }, config.capacityPerReplica) +
             source.sums(name, ids),
    },
  ],
}
