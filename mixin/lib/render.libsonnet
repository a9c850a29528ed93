// files renders a mixin into rule files, one per group, for jsonnet -S -m DIR.
//
// The fields of a rule stand in the order in which people read them, and
// expressions as they were written.
local promql = import 'promql.libsonnet';

// alertscaler.docker.rules goes to docker.rules.yml; alertscaler.alerts keeps
// its name.
local file(group) =
  local parts = std.split(group.name, '.');
  std.join('.', (if std.length(parts) > 2 then parts[1:] else parts) + ['yml']);

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
  # Generated from mixin/ by `make rules`. Do not edit.
  groups:
  - name: %(name)s
    interval: %(interval)s
    rules:
    - %(rules)s
||| % g { rules: std.join('\n  - ', [std.lstripChars(promql.indent(rule(r), 4), ' ') for r in g.rules]) };

{
  files(mixin):: {
    [file(g)]: group(g)
    for g in mixin.prometheusRules.groups + mixin.prometheusAlerts.groups
  },
}
