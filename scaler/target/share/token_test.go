package share_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

func TestToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, within := range []time.Duration{0, time.Minute} {
			token := share.Token{Within: within}
			first := token.For("2 to 4")
			time.Sleep(59 * time.Second)
			if again := token.For("2 to 4"); first == "" || again != first {
				t.Errorf("within %s: made again: %q, want %q", within, again, first)
			}
			time.Sleep(time.Second)
			if late := token.For("2 to 4"); (late == first) != (within == 0) {
				t.Errorf("within %s: after a minute: %q, the first was %q", within, late, first)
			}
			other := token.For("2 to 5")
			if other == first {
				t.Errorf("within %s: another request has the same token", within)
			}
			token.Answered()
			if next := token.For("2 to 5"); next == other {
				t.Errorf("within %s: the same request, once it was answered, has the same token", within)
			}
		}
	})
}
