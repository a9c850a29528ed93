package azure

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/azure/azuretest"
)

// TestReady: of the instances those are ready that run and are not known to be
// ill.
func TestReady(t *testing.T) {
	virtual(t, testReady)
}

func testReady(t *testing.T) {
	for _, flexible := range []bool{false, true} {
		x := web()
		x.Capacity, x.Health, x.Flexible = 4, true, flexible
		f := start(t, nil, x)
		f.clients.settledFor = time.Nanosecond
		s := open(t, f.config("web"))
		settle(t, s, 4, 4)
		rs, err := s.Replicas(t.Context())
		if err != nil || len(rs.List) != 4 {
			t.Fatalf("Replicas: %+v, %v", rs, err)
		}
		f.Sicken("shop", "web", rs.List[0].ID)
		f.Halt("shop", "web", rs.List[1].ID)
		settle(t, s, 4, 2)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	one := web()
	one.OneGroup = true
	if st := current(t, open(t, start(t, nil, one).config("web"))); st.Max != 100 {
		t.Errorf("of a single placement group: %+v, want at most 100", st)
	}
	if st := current(t, open(t, start(t, nil, web()).config("web"))); st.Max != 1000 {
		t.Errorf("%+v, want at most 1000", st)
	}
}

// TestNoProfile: a flexible set that makes no machines cannot be scaled.
func TestNoProfile(t *testing.T) {
	t.Parallel()
	x := web()
	x.Flexible, x.NoProfile = true, true
	s := open(t, start(t, nil, x).config("web"))
	_, err := s.Current(t.Context())
	wantKind(t, "Current", err, target.KindPermanent, "virtual machine profile")
	wantKind(t, "Scale", s.Scale(t.Context(), 2), target.KindPermanent, "virtual machine profile")
}

// TestOwners: an autoscale setting that is in force, and a cluster, set the
// number themselves.
func TestOwners(t *testing.T) {
	t.Parallel()
	setting := azuretest.Setting{Group: "shop", Name: "by-cpu", Target: azuretest.ID("SHOP", "web"), Enabled: true}
	t.Run("autoscale", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil, web())
		f.AddSetting(setting)
		s := open(t, f.config("web"))
		for range 2 {
			wantKind(t, "Scale", s.Scale(t.Context(), 2), target.KindPermanent, "by-cpu")
		}
		f.ClearSettings()
		scale(t, s, 2)
		f.Requests()
		scale(t, s, 3)
		if n := count(f.Requests(), "autoscalesettings"); n != 0 {
			t.Errorf("asked %d times within the minute", n)
		}
	})
	t.Run("autoscale of others", func(t *testing.T) {
		t.Parallel()
		f := start(t, func(s *azuretest.Server) { s.PageSize = 1 }, web())
		off, other := setting, setting
		off.Enabled, other.Target = false, azuretest.ID("shop", "db")
		f.AddSetting(off)
		f.AddSetting(other)
		scale(t, open(t, f.config("web")), 2)
	})
	t.Run("allowed", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil, web())
		f.AddSetting(setting)
		cfg := f.config("web")
		cfg.AllowOtherOwners = true
		scale(t, open(t, cfg), 2)
	})
	t.Run("forbidden to know", func(t *testing.T) {
		t.Parallel()
		f := start(t, nil, web())
		f.Fail(azuretest.Fault{Path: "autoscalesettings", Status: 403, Code: "AuthorizationFailed"})
		wantKind(t, "Scale", open(t, f.config("web")).Scale(t.Context(), 2), target.KindUnauthorized, "list the autoscale settings")
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		x := web()
		x.Tags = map[string]string{"aks-managed-poolName": "nodes"}
		wantKind(t, "Scale", open(t, start(t, nil, x).config("web")).Scale(t.Context(), 2), target.KindPermanent, "AKS")
	})
}
