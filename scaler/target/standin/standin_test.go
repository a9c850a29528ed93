package standin_test

import (
	"bytes"
	"encoding/hex"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

func TestRefusals(t *testing.T) {
	var s standin.State
	if refusal := s.Try(func() { standin.Require(true, http.StatusBadRequest, "Never", "") }); refusal != nil {
		t.Errorf("nothing was refused, and Try returns %+v", refusal)
	}
	refusal := s.Try(func() {
		standin.Require(false, http.StatusNotFound, "NoGroup", "there is no %q", "web")
		t.Error("what is refused went on")
	})
	if refusal == nil || refusal.Status != http.StatusNotFound || refusal.Code != "NoGroup" || refusal.Message != `there is no "web"` {
		t.Errorf("the refusal is %+v", refusal)
	}
	// A refusal leaves the lock free, and so does another panic, which is not one.
	func() {
		defer func() {
			if r := recover(); r != "a mistake" {
				t.Errorf("a panic became %v", r)
			}
		}()
		s.Try(func() { panic("a mistake") })
	}()
	ran := false
	s.Do(func() { s.Outside(func() { s.Do(func() { ran = true }) }) })
	if !ran {
		t.Error("the lock was not given back while outside")
	}
}

func TestHistory(t *testing.T) {
	var h standin.History[int]
	if h.Last() != 0 {
		t.Errorf("nothing was set, and the last is %d", h.Last())
	}
	at := time.Unix(1000, 0)
	h.Set(2, at)
	h.Set(5, at.Add(time.Second))
	for now, want := range map[time.Time]int{at.Add(-time.Hour): 2, at: 2, at.Add(999 * time.Millisecond): 2, at.Add(time.Second): 5, at.Add(time.Hour): 5} {
		if got := h.At(now); got != want {
			t.Errorf("at %s: %d, want %d", now, got, want)
		}
	}
	if h.Last() != 5 {
		t.Errorf("the last is %d, want 5", h.Last())
	}
}

func TestFaults(t *testing.T) {
	var f standin.Faults[string]
	f.Add("once", http.MethodPost, "/resize", 1)
	f.Add("always", "", "/groups", 0)
	for i, want := range []string{"once", "always", "always"} {
		if got := f.For(http.MethodPost, "/groups/web/resize"); got == nil || *got != want {
			t.Errorf("request %d: %v, want %s", i, got, want)
		}
	}
	if got := f.For(http.MethodPost, "/operations"); got != nil {
		t.Errorf("a fault for another path: %s", *got)
	}
}

func TestPage(t *testing.T) {
	all := []int{1, 2, 3, 4, 5}
	for _, test := range []struct {
		from, size int
		part       []int
		next       int
	}{
		{0, 2, []int{1, 2}, 2}, {2, 2, []int{3, 4}, 4}, {4, 2, []int{5}, 0}, {0, 5, all, 0}, {9, 2, nil, 0},
	} {
		if part, next := standin.Page(all, test.from, test.size); !slices.Equal(part, test.part) || next != test.next {
			t.Errorf("%d from %d: %v, next %d; want %v, %d", test.size, test.from, part, next, test.part, test.next)
		}
	}
}

func TestMaps(t *testing.T) {
	var m map[string]int
	m = standin.Put(m, "b", 2)
	m = standin.Put(m, "a", 1)
	var keys []string
	for k, v := range standin.Sorted(m) {
		if m[k] != v {
			t.Errorf("%s is %d, want %d", k, v, m[k])
		}
		keys = append(keys, k)
	}
	if want := slices.Sorted(maps.Keys(m)); !slices.Equal(keys, want) {
		t.Errorf("the keys are %q, want %q", keys, want)
	}
}

// TestSignature goes by the example get-vanilla-query-order-key-case of the
// test suite that AWS published for version 4.
func TestSignature(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "https://example.amazonaws.com/?Param2=value2&Param1=value1", http.NoBody)
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")
	s := standin.SignatureOf(r)
	if s.Algorithm != "AWS4-HMAC-SHA256" || !s.Covers("host", "x-amz-date") || s.Covers("content-type") {
		t.Errorf("it is read as %+v", s)
	}
	key := []byte("AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
	for _, part := range []string{"20150830", "us-east-1", "service", "aws4_request"} {
		key = standin.MAC(key, part)
	}
	canonical := s.Canonical(r, standin.Sum(nil))
	text := "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n" + standin.Sum([]byte(canonical))
	if got := hex.EncodeToString(standin.MAC(key, text)); got != s.Signature {
		t.Errorf("the signature is %s, want %s, of\n%s", got, s.Signature, canonical)
	}
}

func TestJSON(t *testing.T) {
	w := httptest.NewRecorder()
	standin.SetHeader(w, map[string]string{"Retry-After": "7"})
	standin.JSON(w, http.StatusAccepted, "application/json", standin.Object{"a": 1})
	if w.Code != http.StatusAccepted || w.Header().Get("Retry-After") != "7" || w.Body.String() != "{\"a\":1}\n" {
		t.Errorf("the answer is %d %v %s", w.Code, w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	standin.JSON(w, http.StatusAccepted, "application/json", nil)
	if w.Body.Len() > 0 {
		t.Errorf("nothing was to be said, and this is: %s", w.Body)
	}
	var into struct{ A int }
	if !standin.Decode(httptest.NewRequest(http.MethodPost, "/", bytes.NewBufferString(`{"a": 3}`)), &into) || into.A != 3 {
		t.Errorf("it was read as %+v", into)
	}
}

func TestObject(t *testing.T) {
	o := standin.Object{"a": 1}
	o.AddIf(true, "b", 2)
	o.AddIf(false, "c", 3)
	if len(o) != 2 || o["b"] != 2 {
		t.Errorf("the object is %v", o)
	}
	if got := standin.Either(true, "yes", "no") + standin.Either(false, "yes", "no"); got != "yesno" {
		t.Errorf("either way: %s", got)
	}
}
