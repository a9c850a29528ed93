package webhook

import (
	"net/http"

	"github.com/go-kit/log/level"
)

// Retries have policies ask their targets again.
type Retries interface {
	// Retry ends what keeps the policy from asking: targets that are left
	// alone after a failure, and a contest. Held is false where nothing did,
	// found where there is no policy of that name.
	Retry(name string) (found, held bool)
}

// retried is the answer of POST /api/v1/policies/{name}/retry.
type retried struct {
	// Held is false where nothing kept the policy from asking its targets.
	Held bool `json:"held"`
}

func (a *api) retryPolicy(w http.ResponseWriter, r *http.Request) {
	if a.retries == nil {
		a.fail(w, errorForbidden, "this server cannot be asked to retry")
		return
	}
	// There is nothing to say in a body, and clients send one all the same.
	if _, err := a.adminBody(w, r); err != nil {
		a.fail(w, errorBadData, err.Error())
		return
	}
	name := r.PathValue("name")
	found, held := a.retries.Retry(name)
	if !found {
		a.noPolicy(w, name)
		return
	}
	level.Info(a.logger).Log("msg", "policy is to try again", "policy", name, "held", held, "by", userOf(r), "remote", r.RemoteAddr)
	a.respond(w, retried{held})
}
