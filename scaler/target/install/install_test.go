package install

import (
	"slices"
	"testing"
)

func TestRegistry(t *testing.T) {
	r := Registry()
	want := []string{"aliyun_ess", "ansible", "awx", "docker_container", "docker_service", "http", "kubernetes", "nomad", "process"}
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
	want := []string{"aliyun_ess", "docker_containers", "docker_services", "kubernetes"}
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
		// A cloud has regions, and none of them is the default.
		if err := cfg.Validate(); err != nil && name != "aliyun_ess" {
			t.Errorf("%s: the defaults alone are not valid: %v", name, err)
		}
	}
	if _, err := r.NewDiscovery("process"); err == nil {
		t.Error("processes can be discovered")
	}
}
