package aliyuntest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// algorithm is the signature that requests have, version 3 of the API's.
const algorithm = "ACS3-HMAC-SHA256"

// mustSign are the headers that a signature has to cover.
var mustSign = []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}

// authenticate verifies the signature of a request, and reads it.
func (s *Server) authenticate(r *http.Request) (*call, User, *Error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, User{}, &Error{Status: 400, Code: "InvalidRequest", Message: err.Error()}
	}
	fields := make(map[string]string)
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[k] = v
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	id := fields["Credential"]
	switch {
	case r.Header.Get("Authorization") == "" || id == "":
		return nil, User{}, &Error{Status: 400, Code: "MissingAccessKeyId", Message: "AccessKeyId is mandatory for this action."}
	case scheme != algorithm || !slices.IsSorted(signed) || slices.ContainsFunc(mustSign, func(h string) bool { return !slices.Contains(signed, h) }):
		return nil, User{}, &Error{Status: 400, Code: "IncompleteSignature", Message: "The request signature does not conform to Alibaba Cloud standards."}
	}
	user, token, ok := s.user(id)
	if !ok {
		return nil, User{}, &Error{Status: 404, Code: "InvalidAccessKeyId.NotFound", Message: "Specified access key is not found."}
	}
	if r.Header.Get("x-acs-security-token") != token || (token != "" && !slices.Contains(signed, "x-acs-security-token")) {
		return nil, User{}, &Error{Status: 400, Code: "InvalidSecurityToken.Malformed", Message: "Specified SecurityToken is malformed."}
	}
	at, err := time.Parse(time.RFC3339, r.Header.Get("x-acs-date"))
	if err != nil || time.Since(at).Abs() > 15*time.Minute {
		return nil, User{}, &Error{Status: 400, Code: "InvalidTimeStamp.Expired", Message: "Specified time stamp or date value is expired."}
	}
	sum := hexSHA256(body)
	if r.Header.Get("x-acs-content-sha256") != sum || fields["Signature"] != sign(user.Secret, canonical(r, signed, sum)) {
		return nil, User{}, &Error{Status: 400, Code: "SignatureDoesNotMatch", Message: "Specified signature does not match our calculation. Please check the signature documentation."}
	}
	if !s.firstUse(r.Header.Get("x-acs-signature-nonce")) {
		return nil, User{}, &Error{Status: 400, Code: "SignatureNonceUsed", Message: "Specified signature nonce was used already."}
	}
	c := &call{action: r.Header.Get("x-acs-action"), form: make(map[string]string), account: id}
	query := r.URL.Query()
	if form, err := url.ParseQuery(string(body)); err == nil && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		maps.Copy(query, form)
	}
	for k, v := range query {
		c.form[k] = v[0]
	}
	return c, user, nil
}

// canonical is what is signed of a request.
func canonical(r *http.Request, signed []string, sum string) string {
	query := r.URL.Query()
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(query)) {
		for _, v := range query[k] {
			pairs = append(pairs, escape(k)+"="+escape(v))
		}
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n" + strings.Join(pairs, "&") + "\n")
	for _, h := range signed {
		v := r.Header.Get(h)
		if h == "host" {
			v = r.Host
		}
		b.WriteString(h + ":" + strings.TrimSpace(v) + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + sum)
	return b.String()
}

// escape is percent-encoding as RFC 3986 has it.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func sign(secret, request string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithm + "\n" + hexSHA256([]byte(request))))
	return hex.EncodeToString(mac.Sum(nil))
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// firstUse reports whether a nonce is new, and keeps it.
func (s *Server) firstUse(nonce string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if nonce == "" || s.nonces[nonce] {
		return false
	}
	if s.nonces == nil {
		s.nonces = make(map[string]bool)
	}
	s.nonces[nonce] = true
	return true
}
