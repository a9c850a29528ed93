// Pods, from the kubelet's cAdvisor, joined with what kube-state-metrics says
// of their owners. A ready pod that is not being deleted is one replica of
// its workload; scale_target is "<namespace>/<workload>" unless configured
// otherwise.
local promql = import '../lib/promql.libsonnet';
local source = import '../lib/source.libsonnet';

local name = 'kubernetes';

{
  local config = $._config.kubernetes,
  local ids = config.clusterLabels + ['namespace', 'pod'],
  local pod = promql.by(ids),
  local ksm = config.kubeStateMetricsSelector,

  // Selectors of one pod's containers, and of what its containers share.
  local containers = '%s, %s' % [config.cadvisorSelector, config.containerSelector],
  local network = '%s, pod!="", %s' % [config.cadvisorSelector, config.networkSelector],

  // of gives per-pod values the scale_target they belong to.
  local of(expr) = promql.lines([
    expr,
    '* on (%s) group_left (scale_target)' % pod,
    'scale_target_replica:kubernetes:info',
  ]),

  // A container that was started again has series of both its lives for a
  // while: the larger counts, not the sum.
  local rate(metric, selector, by) = promql.call(
    'sum by (%s)' % pod,
    promql.call('max by (%s, %s)' % [pod, promql.by(by)], promql.rate(metric, selector, config.rateWindow, config.maxAgeSeconds)),
  ),
  local gauge(metric, by) = local series = '%s{%s}' % [metric, containers]; promql.call(
    'sum by (%s)' % pod,
    promql.call('max by (%s, %s)' % [pod, promql.by(by)], |||
      %(series)s
      and
      %(fresh)s
    ||| % { series: series, fresh: promql.fresh(series, config.maxAgeSeconds) }),
  ),

  // capacity is what a pod's containers may use together. A container
  // without limit and request may use everything, so its pod has no capacity.
  local capacity(resource) =
    local of = promql.lines(std.join(['or'], [
      [
        'max by (%s, container) (kube_pod_container_resource_%s{%s, resource="%s"} > 0)' % [pod, from, ksm, resource],
      ]
      for from in config.capacityFrom
    ]));
    promql.lines([
      '(',
      promql.indent(promql.call('sum by (%s)' % pod, of)),
      '  unless on (%s)' % pod,
      '  (',
      '    max by (%s, container) (kube_pod_container_info{%s})' % [pod, ksm],
      '    unless',
      '    (',
      promql.indent(of, 6),
      '    )',
      '  )',
      ')',
    ]),

  // info says which pod belongs to which scale_target. Pods that are not ready
  // carry no load, and those being deleted soon carry none.
  local info = |||
    group by (scale_target, %(pod)s) (
      label_join(
        topk by (%(pod)s) (1,
            # Through a ReplicaSet: whatever owns it, mostly a Deployment.
            max by (%(pod)s, replicaset) (
              label_replace(
                kube_pod_owner{%(ksm)s, owner_is_controller="true", owner_kind="ReplicaSet"},
                "replicaset", "$1", "owner_name", "(.+)"
              )
            )
          * on (%(replicaset)s) group_left (workload, workload_kind)
            topk by (%(replicaset)s) (1,
              max by (%(replicaset)s, workload, workload_kind) (
                label_replace(
                  label_replace(
                    kube_replicaset_owner{%(ksm)s, owner_kind!~"|<none>"},
                    "workload", "$1", "owner_name", "(.+)"
                  ),
                  "workload_kind", "$1", "owner_kind", "(.+)"
                )
                or
                label_replace(
                  label_replace(
                    kube_replicaset_owner{%(ksm)s, owner_kind=~"|<none>"},
                    "workload", "$1", "replicaset", "(.+)"
                  ),
                  "workload_kind", "ReplicaSet", "", ""
                )
              )
            )
          or on (%(pod)s)
            # Directly.
            label_replace(
              label_replace(
                kube_pod_owner{%(ksm)s, owner_is_controller="true", owner_kind=~"%(kinds)s"},
                "workload", "$1", "owner_name", "(.+)"
              ),
              "workload_kind", "$1", "owner_kind", "(.+)"
            )
        ),
        "scale_target", "%(separator)s", %(labels)s
      )
      and on (%(pod)s)
      kube_pod_status_ready{%(ksm)s, condition="true"} == 1
      unless on (%(pod)s)
      kube_pod_deletion_timestamp{%(ksm)s}
    )
  ||| % {
    pod: pod,
    replicaset: promql.by(config.clusterLabels + ['namespace', 'replicaset']),
    ksm: ksm,
    kinds: config.ownerKinds,
    separator: config.targetSeparator,
    labels: std.join(', ', ['"%s"' % l for l in config.targetLabels]),
  },

  scaleSources+:: if !config.enabled then [] else [
    {
      name: name,
      rules: [
               { record: 'scale_target_replica:kubernetes:info', expr: info },
               source.usage(name, 'cpu', of(rate('container_cpu_usage_seconds_total', containers, ['container', 'cpu']))),
               source.usage(name, 'memory', of(gauge('container_memory_working_set_bytes', ['container']))),
               source.usage(name, 'disk', of(gauge('container_fs_usage_bytes', ['container', 'device']))),
               // All containers of a pod share its network. A pod on its host's
               // network has none of its own.
               source.usage(name, 'network', of(promql.lines([
                 '(',
                 promql.indent(rate('container_network_receive_bytes_total', network, ['interface'])),
                 '+',
                 promql.indent(rate('container_network_transmit_bytes_total', network, ['interface'])),
                 'unless on (%s)' % pod,
                 '  kube_pod_info{%s, host_network="true"}' % ksm,
                 ')',
               ]))),
             ] +
             source.capacities(name, ids, {
               cpu: of(capacity('cpu')),
               memory: of(capacity('memory')),
             }, config.capacityPerReplica) +
             source.sums(name, ids),
    },
  ],
}
