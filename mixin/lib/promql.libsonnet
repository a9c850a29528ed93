// Small pieces of PromQL that the sources share.
{
  // lines joins expressions on lines of their own.
  lines(parts):: std.join('\n', [std.rstripChars(p, '\n') for p in parts]),

  // indent moves an expression n spaces to the right.
  indent(expr, n=2)::
    std.join('\n', [
      if line == '' then '' else std.repeat(' ', n) + line
      for line in std.split(std.rstripChars(expr, '\n'), '\n')
    ]),

  // call wraps an expression: f(\n  expr\n).
  call(f, expr):: self.lines([f + ' (', self.indent(expr), ')']),

  by(labels):: std.join(', ', labels),

  // rate is the increase per second of a counter, series by series.
  //
  // rate() divides by its whole range, so a counter that began within it is
  // read too low: a replica of 15 s would count a quarter of what it uses,
  // and of all times just after a scale-up. Such counters are read from their
  // last two samples. With fewer than two there is no value, never a zero.
  //
  // rate() also goes on for its whole range after a series has ended, lower
  // each time; only what is there now, or younger than maxAge seconds where
  // nothing marks the end of a series, has a value.
  rate(metric, selector, window, maxAge=null):: |||
    (
      (
          rate(%(metric)s{%(selector)s}[%(window)s])
        and
          %(metric)s{%(selector)s} offset %(window)s
      )
      or
      irate(%(metric)s{%(selector)s}[%(window)s])
    )
    and
    %(now)s
  ||| % {
    metric: metric,
    selector: selector,
    window: window,
    now: $.fresh('%s{%s}' % [metric, selector], maxAge),
  },

  // fresh is what has a sample now, or one younger than maxAge seconds.
  fresh(series, maxAge)::
    if maxAge == null then series
    else 'timestamp(%s) > time() - %d' % [series, maxAge],

  // amount shows a number as PromQL reads it.
  amount(x):: std.strReplace('%.17g' % x, '+', ''),

  // seconds is a Prometheus duration, such as 1m30s, in seconds.
  seconds(duration)::
    local units = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
    local digit(c) = c >= '0' && c <= '9';
    local read = std.foldl(
      function(at, c)
        if digit(c) then at { number+: c }
        else if at.number != '' && std.objectHas(units, c) then { number: '', total: at.total + std.parseInt(at.number) * units[c] }
        else error '%s is no duration in whole seconds' % duration,
      std.stringChars(duration),
      { number: '', total: 0 }
    );
    assert read.number == '' && read.total > 0 : '%s is no duration in whole seconds' % duration;
    read.total,
}
