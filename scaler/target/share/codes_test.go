package share_test

import (
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	codes := share.NewCodes(map[target.Kind][]string{
		target.KindQuota:     {"QuotaExceeded", "Invalid.Stock*"},
		target.KindPermanent: {"Invalid*"},
		target.KindThrottled: {"Invalid.Often"},
	})
	for code, want := range map[string]target.Kind{
		"QuotaExceeded":      target.KindQuota,
		"QuotaExceeded.Core": "",
		"Invalid":            target.KindPermanent,
		"Invalid.Name":       target.KindPermanent,
		"Invalid.Stock.Zone": target.KindQuota,
		"Invalid.Often":      target.KindThrottled,
		"Invalid.Often.User": target.KindPermanent,
		"invalid":            "",
		"":                   "",
	} {
		if got, known := codes.Kind(code); got != want || known != (want != "") {
			t.Errorf("%q is %q, %t, want %q", code, got, known, want)
		}
	}
}

func TestCodesOfTwoKinds(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("one code is of two kinds")
		}
	}()
	share.NewCodes(map[target.Kind][]string{target.KindQuota: {"Conflict"}, target.KindConflict: {"Conflict"}})
}
