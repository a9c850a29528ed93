package aliyuntest

import (
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// algorithm is the signature that requests have, version 3 of the API's.
const algorithm = "ACS3-HMAC-SHA256"

// mustSign are the headers that a signature has to cover.
var mustSign = []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}

// authenticate verifies the signature of a request, and reads it.
func (s *Server) authenticate(r *http.Request) *call {
	body, err := io.ReadAll(r.Body)
	standin.Require(err == nil, 400, "InvalidRequest", "%v", err)
	signed := standin.SignatureOf(r)
	standin.Require(signed.Credential != "", 400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.")
	standin.Require(signed.Algorithm == algorithm && slices.IsSorted(signed.Headers) && signed.Covers(mustSign...),
		400, "IncompleteSignature", "The request signature does not conform to Alibaba Cloud standards.")
	user, token := s.user(signed.Credential)
	standin.Require(r.Header.Get("x-acs-security-token") == token && (token == "" || signed.Covers("x-acs-security-token")),
		400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
	at, err := time.Parse(time.RFC3339, r.Header.Get("x-acs-date"))
	standin.Require(err == nil && time.Since(at).Abs() <= 15*time.Minute,
		400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	sum := standin.Sum(body)
	mac := standin.MAC([]byte(user.Secret), algorithm+"\n"+standin.Sum([]byte(signed.Canonical(r, sum))))
	standin.Require(r.Header.Get("x-acs-content-sha256") == sum && signed.Signature == hex.EncodeToString(mac), 400, "SignatureDoesNotMatch",
		"Specified signature does not match our calculation. Please check the signature documentation.")
	nonce := r.Header.Get("x-acs-signature-nonce")
	standin.Require(nonce != "" && !s.nonces[nonce], 400, "SignatureNonceUsed", "Specified signature nonce was used already.")
	s.nonces = standin.Put(s.nonces, nonce, true)
	c := &call{action: r.Header.Get("x-acs-action"), version: r.Header.Get("x-acs-version"), form: make(map[string]string), user: user}
	query := r.URL.Query()
	if form, err := url.ParseQuery(string(body)); err == nil && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		maps.Copy(query, form)
	}
	for k, v := range query {
		c.form[k] = v[0]
	}
	return c
}
