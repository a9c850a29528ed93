// What every source of usage has in common. A source says what one replica
// uses and may use; the sums over the replicas of a target are made here,
// alike for all.
local promql = import 'promql.libsonnet';

{
  // usage and capacity of single replicas: expr has the labels scale_target
  // and those of ids.
  usage(source, resource, expr):: {
    record: 'scale_target_replica_resource:usage:sum',
    labels: { source: source, resource: resource },
    expr: expr,
  },
  capacity(source, resource, expr):: {
    record: 'scale_target_replica_resource:capacity:sum',
    labels: { source: source, resource: resource },
    expr: expr,
  },

  // capacities are the rules of a source: what it knows by resource, filled
  // up with what the configuration says one replica may use.
  capacities(source, ids, known, perReplica):: [
    self.capacity(source, resource, promql.lines(
      (if std.objectHas(known, resource) then [known[resource]] else []) +
      (if std.objectHas(known, resource) && std.objectHas(perReplica, resource)
       then ['or on (scale_target, %s)' % promql.by(ids)] else []) +
      (if std.objectHas(perReplica, resource)
       then ['0 * scale_target_replica_resource:usage:sum{source="%s", resource="cpu"} + %s' % [source, promql.amount(perReplica[resource])]] else []),
    ))
    for resource in std.set(std.objectFields(known) + std.objectFields(perReplica))
  ],

  // sums are the recorded series of DESIGN's contract, with no label but
  // scale_target and resource. ids are the labels that tell replicas apart.
  //
  // A replica reports once its CPU is known. All sums of a target are made of
  // exactly the replicas that report, and a sum is recorded for all of them
  // or not at all: half a sum would pass for a low one.
  sums(source, ids):: [
    {
      // Who reports what, and so the guard between the sources: below, a
      // source records nothing for a target that another one reports.
      record: 'scale_target_source:replicas_reporting:count',
      labels: { source: source },
      expr: |||
        count by (scale_target) (
          scale_target_replica_resource:usage:sum{source="%(source)s", resource="cpu"}
        )
      ||| % { source: source },
    },
    {
      record: 'scale_target:replicas_reporting:count',
      expr: |||
        sum by (scale_target) (
          scale_target_source:replicas_reporting:count{source="%(source)s"}
        )
        unless on (scale_target)
        scale_target_source:replicas_reporting:count{source!="%(source)s"}
      ||| % { source: source },
    },
    self.sumOf('usage', source, ids),
    self.sumOf('capacity', source, ids),
  ],

  sumOf(what, source, ids):: {
    local members = |||
      scale_target_replica_resource:%(what)s:sum{source="%(source)s"}
      and on (scale_target, %(ids)s)
      scale_target_replica_resource:usage:sum{source="%(source)s", resource="cpu"}
    ||| % { what: what, source: source, ids: promql.by(ids) },

    record: 'scale_target_resource:%s:sum' % what,
    expr: promql.lines([
      promql.call('sum by (scale_target, resource)', members),
      'and on (scale_target, resource)',
      '(',
      promql.indent(promql.call('count by (scale_target, resource)', members)),
      '  == on (scale_target) group_left ()',
      '  scale_target_source:replicas_reporting:count{source="%s"}' % source,
      ')',
      'unless on (scale_target)',
      'scale_target_source:replicas_reporting:count{source!="%s"}' % source,
    ]),
  },

  // only keeps of an expression the targets that the source reports, so that
  // what follows from the sums can be derived for each source in a group of its
  // own. A null source keeps all.
  only(source, expr):: if source == null then expr else promql.lines([
    expr,
    'and on (scale_target)',
    'scale_target_source:replicas_reporting:count{source="%s"}' % source,
  ]),

  // onlyOf is the same of an expression in which an operator binds less than and.
  onlyOf(source, expr):: if source == null then expr else self.only(source, promql.lines([
    '(',
    promql.indent(expr),
    ')',
  ])),
}
