package webhook

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestLargeBodiesLeaveRoom: bodies that do not say how large they are stall, and
// more of them wait. A notification of some alerts has room at once.
func TestLargeBodiesLeaveRoom(t *testing.T) {
	const largest = 8 << 20
	in := newIntake(128, largest, time.Minute)
	body := func(bytes int64) *arrival {
		return &arrival{in: in, bytes: bytes, conn: http.NewResponseController(httptest.NewRecorder())}
	}
	large := 0
	for in.admit(body(largest)) {
		large++
	}
	if large < 2 {
		t.Errorf("room for %d of the largest bodies, want several", large)
	}
	// As many as may be received at once.
	for i := range in.maxSlow - large {
		if !in.admit(body(10_000)) {
			t.Fatalf("no room for a small body beside %d large and %d small ones", large, i)
		}
	}
	if in.admit(body(10_000)) {
		t.Error("more are received at once than may be")
	}
}
