package ansible

import (
	"bytes"
	"cmp"
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
		_, unwritable := json.Marshal(vars[name])
		if err := cmp.Or(
			target.Check(varName.MatchString(name), "extra_vars", "%q is not the name of an Ansible variable", name),
			target.Check(!strings.HasPrefix(name, reserved), "extra_vars", "%q: names that begin with %s are Alertscaler's own", name, reserved),
			target.Check(unwritable == nil, "extra_vars", "%q cannot be written as JSON: %v", name, unwritable),
		); err != nil {
			return err
		}
	}
	return nil
}

// ownVars are the variables that every run has: what is known of a call to Scale.
func ownVars(ctx context.Context, o target.Options, desired, current int) map[string]any {
	r, known := target.RequestOf(ctx)
	if !known {
		r.Policy = o.Policy
	}
	return map[string]any{
		reserved + "target":           o.Name,
		reserved + "policy":           r.Policy,
		reserved + "reason":           r.Reason,
		reserved + "desired_replicas": desired,
		reserved + "current_replicas": current,
	}
}

// varsFile renders a file for --extra-vars: JSON, with the one thing of YAML that
// JSON has not: !unsafe, which keeps Ansible from taking {{ }} in a value of
// ours for a template. What the configuration gives is the operator's own and
// may have templates.
func varsFile(extra, own map[string]any) ([]byte, error) {
	var b bytes.Buffer
	for _, vars := range []map[string]any{extra, own} {
		for _, name := range slices.Sorted(maps.Keys(vars)) {
			encoded, err := json.Marshal(vars[name])
			if err != nil {
				return nil, fmt.Errorf("variable %s: %w", name, err)
			}
			tag := ""
			if _, text := own[name].(string); text {
				tag = "!unsafe "
			}
			fmt.Fprintf(&b, "%q: %s%s\n", name, tag, encoded)
		}
	}
	return b.Bytes(), nil
}
