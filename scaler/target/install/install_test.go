package install

import (
	"slices"
	"testing"
)

func TestRegistry(t *testing.T) {
	r := Registry()
	want := []string{"aliyun_ess", "ansible", "aws_asg", "aws_ecs", "awx", "azure_vmss", "command", "docker_container", "docker_service", "gcp_mig", "http", "kubernetes", "nomad", "process"}
	if got := r.Names(); !slices.Equal(got, want) {
		t.Errorf("platforms = %v, want %v", got, want)
	}
	for _, name := range want {
		cfg, err := r.New(name)
		if err != nil || cfg.Platform() != name {
			t.Errorf("New(%s) = %v, %v", name, cfg, err)
		}
		if again, _ := r.New(name); again == cfg {
			t.Errorf("New(%s) returned the same configuration twice", name)
		}
		if err := cfg.Validate(); err == nil {
			t.Errorf("%s: the defaults alone are valid, and name nothing to scale", name)
		}
	}
}

func TestDiscoveries(t *testing.T) {
	r := Registry()
	want := []string{"aliyun_ess", "aws_asg", "aws_ecs", "azure_vmss", "docker_containers", "docker_services", "gcp_migs", "kubernetes"}
	if got := r.DiscoveryNames(); !slices.Equal(got, want) {
		t.Errorf("discoveries = %v, want %v", got, want)
	}
	for _, name := range want {
		cfg, err := r.NewDiscovery(name)
		if err != nil || cfg.Platform() != name {
			t.Errorf("NewDiscovery(%s) = %v, %v", name, cfg, err)
		}
		if again, _ := r.NewDiscovery(name); again == cfg {
			t.Errorf("NewDiscovery(%s) returned the same configuration twice", name)
		}
		// What Google has is always some project's, and what Alibaba Cloud has
		// is in a region; no default says which.
		alone := name != "gcp_migs" && name != "aliyun_ess"
		if err := cfg.Validate(); (err == nil) != alone {
			t.Errorf("%s: validating the defaults alone: %v", name, err)
		}
	}
	if _, err := r.NewDiscovery("process"); err == nil {
		t.Error("processes can be discovered")
	}
}
