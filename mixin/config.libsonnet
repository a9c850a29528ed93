{
  _config+:: {
    // Selectors are inserted between {} in Prometheus queries.

    // How often every group is evaluated but those of scaleInterval. Scrape the
    // sources at least as often.
    evaluationInterval: '15s',

    // Where the alerts that scale are evaluated. true: with the rules of each
    // source, in one group from what is scraped to the alert, so that an alert
    // fires at the first evaluation that follows the scrape. All of it is then
    // in prometheusAlerts. false: rules and alerts in groups of their own, for
    // those who have other alerts (scalertool rules generate), or record usage
    // and capacity by rules of their own: true leaves targets alone that no
    // source reports, unless none is enabled. With false an alert may wait up to
    // an interval for its sample. The files are rendered in both layouts:
    // docker.scale.yml and so on, or docker.rules.yml, scale.rules.yml and
    // scale.alerts.yml.
    oneGroup: true,

    // How often the one group of each source is evaluated. An alert waits for the
    // next scrape and then for the next of these, half of each on average, so that
    // it is worth being more often than is scraped. An evaluation takes Prometheus
    // some 0.4 ms of a processor for each pod, less for other replicas.
    scaleInterval: '5s',

    // Range of rate() over the sources' counters. Four scrapes is a good
    // choice, two the least that works. Each source may have its own.
    rateWindow: '1m',

    // --- Sources -----------------------------------------------------------
    // Several may be on at once. Each says which series are one replica, and
    // which scale_target that replica belongs to. A scale_target that two
    // sources report is recorded by neither, because nobody could say which
    // is right; AlertscalerSourcesCollide then fires.
    //
    // capacityPerReplica fills in what one replica may use where the source
    // itself has no answer, by resource: { network: 125e6 }.

    // Processes that Alertscaler's own process target supervises. It exports
    // what each of them uses on its own /metrics.
    process: {
      enabled: true,
      selector: $._config.alertscalerSelector,
      rateWindow: $._config.rateWindow,
    },

    // Containers of Docker and of Docker Swarm, through cAdvisor.
    docker: {
      enabled: true,
      selector: 'job="cadvisor", image!=""',
      rateWindow: $._config.rateWindow,

      // Which container labels name the scale_target, best first: the first
      // one that a container has decides. Several labels in one entry are
      // joined with the separator. cAdvisor's --whitelisted_container_labels
      // must let them through.
      targetLabels: [
        ['container_label_alertscaler_scale_target'],
        ['container_label_com_docker_swarm_service_name'],
        ['container_label_com_docker_compose_project', 'container_label_com_docker_compose_service'],
      ],
      targetSeparator: '_',

      // A container that cAdvisor has not seen for so long is dead, although
      // its last samples can still be read for five minutes. Three scrapes.
      maxAgeSeconds: 45,

      networkSelector: 'interface!="lo"',

      // A container has no bandwidth limit, and what is left on its disk it
      // shares with all others on that host: say what one replica may use.
      capacityPerReplica: {},
    },

    // Pods, through the kubelet's cAdvisor and kube-state-metrics.
    kubernetes: {
      enabled: true,
      cadvisorSelector: 'job="kubelet", metrics_path="/metrics/cadvisor"',
      kubeStateMetricsSelector: 'job="kube-state-metrics"',

      // Kubelets are mostly scraped every 30 s.
      rateWindow: '2m',

      // Labels that tell clusters apart, where one Prometheus has several:
      // ['cluster'].
      clusterLabels: [],

      // scale_target is made of these: any of namespace, workload,
      // workload_kind (Deployment, StatefulSet, ...) and the clusterLabels.
      targetLabels: ['namespace', 'workload'],
      targetSeparator: '/',

      // Pods of ReplicaSets belong to whatever owns the ReplicaSet, mostly a
      // Deployment. Pods of these kinds belong to their owner directly.
      ownerKinds: 'StatefulSet|ReplicationController',

      // Containers whose use is the pod's.
      containerSelector: 'container!="", container!="POD"',
      networkSelector: 'interface!="lo"',

      // Where the capacity of a container comes from, best first: limits,
      // requests or both. A pod with a container that has none of them has no
      // capacity.
      capacityFrom: ['limits', 'requests'],

      // Samples older than this are of a container that is gone, or of a
      // kubelet that nobody reaches. Three scrapes.
      maxAgeSeconds: 90,

      capacityPerReplica: {},
    },

    // Whole machines, through node_exporter: give its scrape targets a
    // scale_target label by relabelling.
    node: {
      enabled: true,
      selector: 'job="node", scale_target!=""',
      rateWindow: $._config.rateWindow,

      // What does not count as used CPU. Steal is not ours to use.
      cpuIdleModes: 'idle|iowait|steal',
      diskSelector: 'mountpoint="/", fstype!~"tmpfs|overlay|squashfs"',
      networkSelector: 'device!~"lo|veth.*|docker.*|br-.*|cni.*|cali.*|flannel.*|virbr.*"',

      // Link speeds are not known everywhere; say what one node may move.
      capacityPerReplica: {},
    },

    // --- Reservation -------------------------------------------------------
    // What must stay free, per resource, for the alerts that scale:
    // the larger of
    //   ratio      a share of the whole capacity: usage * ratio / (1 - ratio)
    //   threshold  an absolute amount in the resource's unit
    // They are for every target alike. To have exactly what your policies
    // say, load the output of `scalertool rules generate`: with --source=docker
    // instead of docker.scale.yml, without --source beside docker.rules.yml and
    // scale.rules.yml.
    reservation: {
      default: { ratio: 0.2, threshold: 0 },
      cpu: { ratio: 0.3, threshold: 0 },
    },

    // Take what must stay free from a series instead, where it has a number
    // for a target and a resource; the ratios above stand in where it does
    // not. Either a recorded series with the labels scale_target and resource,
    // such as 'scale_target_resource:reserved:objective' (see below), or
    // 'alertscaler_policy_reserved', so that the alerts follow the policies
    // while they run. That one has policy instead of scale_target: it fits
    // where policies are named after their scale_target, and where their
    // resources of the recorded names are in the recorded units. null: none.
    reservedSeries: null,

    // --- Reservation by objective ------------------------------------------
    // objective.rules.yml learns for every target and resource with a capacity
    // what must be kept free so that usage stays below capacity for a stated
    // share of the time, and records it and how it came about. It is rendered
    // by default, and costs nothing until it is loaded. The alerts go by it
    // only where reservedSeries says so, because what they hold free should be
    // what the policies hold free: one can look at the series for a day first.
    objective: {
      enabled: true,

      // The share of the time in which what is kept free is to be enough until
      // another replica is there, provisioningSeconds later.
      objective: 0.99,

      // Or what a replica that is missing for an hour costs, in replicas that
      // are there for an hour: above 1. It goes before the share. 25 is as a
      // share of 1 - 1/25: another replica pays as long as it is needed for
      // more than 1/25 of the time. That is an approximation, since it counts
      // a minute as a minute, however much would be missing in it.
      shortagePrice: null,

      // How long a peak goes on to count as used. Longer forgives a load that
      // comes and goes, and keeps replicas for it in between.
      hold: '5m',

      // From how much of the past it learns, and how often the margin that was
      // needed is measured in it. All of these samples are read each time.
      // Less than five minutes, within which a series counts as present. A
      // longer history forgets an incident later; Prometheus must retain it.
      history: '1d',
      interval: '1m',

      // So many measured margins are the least to learn from; until then
      // nothing is recorded, and the ratios above stand in. These are an hour.
      minSamples: 60,

      // The least that stays free, as a share of the capacity, however quiet
      // the past was. CPU usage cannot exceed the capacity, so without it
      // nothing would ever fire for a target that first fills up now.
      minRatio: 0.1,
    },

    // --- Prediction --------------------------------------------------------
    // A line through the last predictionRange, drawn as far into the future
    // as it takes to have another replica. Where the range has samples for less than
    // predictionMinHistory nothing is predicted.
    predictionRange: '10m',
    predictionMinHistory: '5m',
    provisioningSeconds: 60,

    // --- Alerts that scale -------------------------------------------------
    // Short: what does not last costs at most one evaluation of a policy.
    scaleUpFor: '0s',
    scaleUpPredictedFor: '30s',
    // A policy's own stabilization window does the rest.
    scaleDownFor: '2m',

    // ScaleDown makes no sense at or below so many replicas.
    scaleDownMinReplicas: 1,

    // A resource for which a capacity was recorded within this time must have
    // data, and hold its reservation, before ScaleDown fires. A resource that
    // is really gone stops to matter after it.
    scaleDownMemory: '1h',

    // Resources that every target must have before ScaleDown fires for it,
    // whether or not they were ever recorded: ['cpu', 'memory'].
    scaleDownRequires: [],

    // What these alerts are for, by the labels scale_target and resource; for
    // example 'resource=~"cpu|memory"', or 'scale_target!~"kube-system/.*"'.
    // Empty: every target and resource for which a capacity is recorded.
    scaleSelector: '',

    // Extra labels for the alerts that scale, to route them by. No severity:
    // nobody is to be paged.
    scaleAlertLabels: {},

    // --- Alerts on Alertscaler itself ---------------------------------------
    alertscalerSelector: 'job="alertscaler"',

    // Longer than any policy's provisioning_timeout (15m by default).
    notConvergingFor: '20m',
    // Actions in either direction within an hour that count as flapping.
    flappingActionsPerHour: 4,
    // global.fleet_guard of the configuration.
    fleetGuard: 0.3,

    runbookURLPattern: 'https://github.com/alertscaler/alertscaler/blob/main/mixin/runbook.md#%s',
  },
}
