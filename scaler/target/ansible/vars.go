package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// reserved begins the names of Alertscaler's own variables.
const reserved = "alertscaler_"

var varName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// validateExtraVars checks the variables of a configuration.
func validateExtraVars(vars map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		switch _, err := json.Marshal(vars[name]); {
		case !varName.MatchString(name):
			return &target.FieldError{Field: "extra_vars", Msg: fmt.Sprintf("%q is not the name of an Ansible variable", name)}
		case strings.HasPrefix(name, reserved):
			return &target.FieldError{Field: "extra_vars", Msg: fmt.Sprintf("%q: names that begin with %s are Alertscaler's own", name, reserved)}
		case err != nil:
			return &target.FieldError{Field: "extra_vars", Msg: fmt.Sprintf("%q cannot be written as JSON: %v", name, err)}
		}
	}
	return nil
}

// own are the variables that every run has.
type own struct {
	target, policy, reason string
	desired, current       int
}

// ownVars puts together what is known of a call to Scale.
func ownVars(ctx context.Context, o target.Options, desired, current int) own {
	v := own{target: o.Name, policy: o.Policy, desired: desired, current: current}
	if r, known := target.RequestOf(ctx); known {
		v.policy, v.reason = r.Policy, r.Reason
	}
	return v
}

// values are the variables by name.
func (v own) values() map[string]any {
	return map[string]any{
		reserved + "target":           v.target,
		reserved + "policy":           v.policy,
		reserved + "reason":           v.reason,
		reserved + "desired_replicas": v.desired,
		reserved + "current_replicas": v.current,
	}
}

// file renders a file for --extra-vars: JSON, with the one thing of YAML that
// JSON has not: !unsafe, which keeps Ansible from taking {{ }} in a value of
// ours for a template. What the configuration gives is the operator's own and
// may have templates.
func (v own) file(extra map[string]any) ([]byte, error) {
	var b bytes.Buffer
	line := func(name, tag string, value any) error {
		encoded, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("variable %s: %w", name, err)
		}
		_, err = fmt.Fprintf(&b, "%q: %s%s\n", name, tag, encoded)
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if err := line(name, "", extra[name]); err != nil {
			return nil, err
		}
	}
	values := v.values()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		tag := ""
		if _, text := values[name].(string); text {
			tag = "!unsafe "
		}
		if err := line(name, tag, values[name]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
