package webhook

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// errorType is the kind of an API error, with Prometheus' names.
type errorType string

const (
	errorBadData   errorType = "bad_data"
	errorForbidden errorType = "forbidden" // Prometheus has none of it
	errorNotFound  errorType = "not_found"
	errorInternal  errorType = "internal"
)

// envelope is every answer of the API, as in Prometheus.
type envelope struct {
	Status    string    `json:"status"`
	Data      any       `json:"data,omitempty"`
	ErrorType errorType `json:"errorType,omitempty"`
	Error     string    `json:"error,omitempty"`
	// NextToken is what the next page is asked by; empty on the last one.
	NextToken string `json:"nextToken,omitempty"`
}

func (a *api) respond(w http.ResponseWriter, data any) {
	writeJSON(w, http.StatusOK, envelope{Status: "success", Data: data}, a.logger)
}

func (a *api) fail(w http.ResponseWriter, kind errorType, reason string) {
	code := http.StatusInternalServerError
	switch kind {
	case errorBadData:
		code = http.StatusBadRequest
	case errorForbidden:
		code = http.StatusForbidden
	case errorNotFound:
		code = http.StatusNotFound
	}
	writeJSON(w, code, envelope{Status: "error", ErrorType: kind, Error: reason}, a.logger)
}

// writeJSON answers with v. It is encoded before anything is sent, so that an
// error in the middle does not look like success.
func writeJSON(w http.ResponseWriter, code int, v any, logger log.Logger) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		level.Error(logger).Log("msg", "encoding answer", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if _, err := w.Write(buf.Bytes()); err != nil {
		level.Debug(logger).Log("msg", "sending answer", "err", err)
	}
}

// list is s, or an empty list where s is nil: clients iterate over the data.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
