// files renders a mixin into rule files, for jsonnet -S -m DIR: in both layouts,
// whatever oneGroup says, because users choose by what they load.
//
// The fields of a rule stand in the order in which people read them, and
// expressions as they were written.
local promql = import 'promql.libsonnet';

// alertscaler.docker.scale goes to docker.scale.yml, and so would
// alertscaler.docker.more.scale; alertscaler.alerts keeps its name.
local file(group) =
  local parts = std.split(group.name, '.');
  local last = std.length(parts) - 1;
  '%s.%s.yml' % [parts[if last > 1 then 1 else 0], parts[last]];

// Each of these is one field in lines of its own, or nothing where it is unset.
local plain(object, key) =
  if std.objectHas(object, key) then ['%s: %s' % [key, object[key]]] else [];
local block(object, key) =
  ['%s: |' % key, promql.indent(object[key])];
local map(object, key) =
  if std.objectHas(object, key) then ['%s:' % key] + [
    '  %s: %s' % [k, std.escapeStringJson(object[key][k])]
    for k in std.objectFields(object[key])
  ] else [];

local rule(r) = std.join('\n', if std.objectHas(r, 'record')
then plain(r, 'record') + map(r, 'labels') + block(r, 'expr')
else plain(r, 'alert') + block(r, 'expr') + plain(r, 'for') + map(r, 'labels') + map(r, 'annotations'));

local group(g) = |||
  - name: %(name)s
    interval: %(interval)s
    rules:
    - %(rules)s
||| % g { rules: std.join('\n  - ', [std.lstripChars(promql.indent(rule(r), 4), ' ') for r in g.rules]) };

{
  files(mixin)::
    local of(oneGroup) =
      local m = mixin { _config+:: { oneGroup: oneGroup } };
      m.prometheusRules.groups + m.prometheusAlerts.groups;
    local apart = of(false);
    // Some groups are in both.
    local groups = apart + [g for g in of(true) if !std.member([a.name for a in apart], g.name)];
    {
      [name]: |||
        # Generated from mixin/ by `make rules`. Do not edit.
        groups:
      ||| + std.join('', [group(g) for g in groups if file(g) == name])
      for name in std.set([file(g) for g in groups])
    },
}
