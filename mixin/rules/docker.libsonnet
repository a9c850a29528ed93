// Containers of Docker and of Docker Swarm, from cAdvisor. A container is one
// replica; its id is unique over all hosts, so that one seen through two
// scrape jobs counts once.
local promql = import '../lib/promql.libsonnet';
local source = import '../lib/source.libsonnet';

local name = 'docker';
local ids = ['id'];

{
  local config = $._config.docker,

  // named is the containers that have all the labels, with their scale_target.
  local named(labels) = |||
    label_join(
      container_last_seen{%(selector)s, %(present)s},
      "scale_target", "%(separator)s", %(labels)s
    )
  ||| % {
    selector: config.selector,
    present: std.join(', ', ['%s!=""' % l for l in labels]),
    separator: config.targetSeparator,
    labels: std.join(', ', ['"%s"' % l for l in labels]),
  },

  // of gives per-container values, by id, the scale_target they belong to.
  local of(expr) = promql.lines([
    expr,
    '* on (id) group_left (scale_target)',
    'scale_target_replica:docker:info',
  ]),
  local rate(metric, by, selector=config.selector) =
    promql.call('max by (%s)' % promql.by(['id'] + by), promql.rate(metric, selector, config.rateWindow)),
  local gauge(metric, by=[]) =
    'max by (%s) (%s{%s})' % [promql.by(['id'] + by), metric, config.selector],
  local network = '%s, %s' % [config.selector, config.networkSelector],

  scaleSources+:: if !config.enabled then [] else [
    {
      name: name,
      rules: [
               {
                 // Which container belongs to which scale_target. A container that
                 // is gone leaves samples behind that can be read for five
                 // minutes: only those seen lately count. The newest of several
                 // series of one container wins.
                 record: 'scale_target_replica:docker:info',
                 expr: promql.call(
                   'group by (scale_target, id)',
                   promql.lines([
                     'topk by (id) (1,',
                     promql.indent(promql.lines(std.join(['or on (id)'], [[named(labels)] for labels in config.targetLabels]))),
                     ')',
                     '> time() - %d' % config.maxAgeSeconds,
                   ]),
                 ),
               },
               source.usage(name, 'cpu', of(promql.call('sum by (id)', rate('container_cpu_usage_seconds_total', ['cpu'])))),
               source.usage(name, 'memory', of(gauge('container_memory_working_set_bytes'))),
               source.usage(name, 'disk', of('sum by (id) (%s)' % gauge('container_fs_usage_bytes', ['device']))),
               source.usage(name, 'network', of(promql.lines([
                 '(',
                 promql.indent(promql.call('sum by (id)', rate('container_network_receive_bytes_total', ['interface'], network))),
                 '+',
                 promql.indent(promql.call('sum by (id)', rate('container_network_transmit_bytes_total', ['interface'], network))),
                 ')',
               ]))),
             ] +
             // 0 and -1 mean that there is no limit: that is no capacity, not one
             // of nothing.
             source.capacities(name, ids, {
               cpu: of('(max by (id) (container_spec_cpu_quota{%(s)s} / container_spec_cpu_period{%(s)s}) > 0)' % { s: config.selector }),
               memory: of('(%s > 0)' % gauge('container_spec_memory_limit_bytes')),
             }, config.capacityPerReplica) +
             source.sums(name, ids),
    },
  ],
}
