package azure_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

const page = "../../../docs/azure.md"

// TestDocumentedExamples loads the examples as they are written.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	for _, heading := range []string{"# Scaling on Azure", "## Discovery"} {
		text := realtest.Documented(t, page, heading)
		if heading == "## Discovery" {
			text = "policy_templates: [ { name: default, min: 1, max: 10 } ]\n" + text
		} else {
			text = "prometheus: { url: \"http://localhost:9090\" }\n" + text
		}
		file := filepath.Join(t.TempDir(), "alertscaler.yml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.LoadFile(file, install.Registry()); err != nil {
			t.Errorf("%s: %v", heading, err)
		}
	}
}

// TestDocumentedRole: the role is one that Azure takes, and has what is used.
func TestDocumentedRole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```json\n")
	block, _, _ = strings.Cut(block, "```")
	var role struct {
		Name, Description         string
		Actions, AssignableScopes []string
	}
	if err := json.Unmarshal([]byte(block), &role); err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{
		"Microsoft.Compute/virtualMachineScaleSets/read",
		"Microsoft.Compute/virtualMachineScaleSets/write",
		"Microsoft.Compute/virtualMachineScaleSets/delete/action",
		"Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
		"Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read",
		"Microsoft.Compute/virtualMachines/read",
		"Microsoft.Compute/virtualMachines/instanceView/read",
		"Microsoft.Compute/locations/operations/read",
		"Microsoft.Insights/autoscalesettings/read",
	} {
		if !slices.Contains(role.Actions, action) {
			t.Errorf("the role has no %s", action)
		}
	}
	if role.Name == "" || len(role.AssignableScopes) == 0 || slices.ContainsFunc(role.Actions, func(a string) bool { return strings.Contains(a, "*") }) {
		t.Errorf("%+v", role)
	}
}
