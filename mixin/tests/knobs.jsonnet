// The mixin with its knobs turned, so that each of them renders into rules
// that Prometheus loads and that do what the knob says: see knobs.test.yml.
local mixin = (import '../mixin.libsonnet') + {
  _config+:: {
    evaluationInterval: '5s',
    rateWindow: '20s',
    process+: { enabled: false },
    docker+: {
      targetLabels: [['container_label_team', 'container_label_app']],
      targetSeparator: ':',
      capacityPerReplica: { memory: 1e9, network: 125e6 },
    },
    kubernetes+: {
      clusterLabels: ['cluster'],
      targetLabels: ['cluster', 'namespace', 'workload_kind', 'workload'],
      ownerKinds: 'CloneSet',
      capacityFrom: ['requests'],
      rateWindow: '1m',
    },
    reservation: { default: { ratio: 0, threshold: 0 }, network: { threshold: 1e6 } },
    reservedSeries: 'alertscaler_policy_reserved',
    scaleSelector: 'resource!="disk"',
    scaleDownMinReplicas: 2,
    scaleDownRequires: ['cpu', 'memory'],
    scaleUpFor: '15s',
    scaleAlertLabels: { team: 'shop' },
    runbookURLPattern: 'https://runbooks.example.org/%s',
  },
};

(import '../lib/render.libsonnet').files(mixin)
