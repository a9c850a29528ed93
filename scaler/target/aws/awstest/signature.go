package awstest

import (
	"crypto/hmac"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
	maxSkew    = 15 * time.Minute
)

// codes are what an error of authentication is called in both protocols.
var codes = map[bool]struct{ missing, unknown, wrong, expired, denied string }{
	false: {"MissingAuthenticationToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "AccessDenied"},
	true:  {"MissingAuthenticationTokenException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "AccessDeniedException"},
}

// authenticate verifies the signature, of version 4, and whether whoever
// signed may do that. It returns the access key.
func (s *Server) authenticate(r *http.Request, body []byte, p protocol, c Call) string {
	names, status := codes[p.json], standin.Either(p.json, http.StatusBadRequest, http.StatusForbidden)
	require := func(ok bool, code, message string) { standin.Require(ok, status, code, "%s", message) }

	signed := standin.SignatureOf(r)
	require(signed.Algorithm == algorithm, names.missing, "Request is missing Authentication Token")
	scope := strings.Split(signed.Credential, "/")
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(timeFormat, date)
	require(len(scope) == 5 && err == nil, names.missing, "the Authorization header is incomplete")
	require(time.Since(at).Abs() <= maxSkew, names.wrong, "Signature expired: "+date)
	require(slices.Equal(scope[1:], []string{date[:8], s.Region, p.service, "aws4_request"}),
		names.wrong, "Credential should be scoped to "+s.Region+" and "+p.service+", not "+signed.Credential)
	who, ok := s.keys[scope[0]]
	require(ok && r.Header.Get("X-Amz-Security-Token") == who.token, names.unknown, "The security token included in the request is invalid.")
	for _, h := range []string{"host", "x-amz-date", "x-amz-security-token"} {
		require(signed.Covers(h) || (h == "x-amz-security-token" && who.token == ""), names.wrong, "header "+h+" is not signed")
	}
	want := signature(who.secret, scope, date, signed.Canonical(r, standin.Sum(body)))
	require(hmac.Equal([]byte(want), []byte(signed.Signature)),
		names.wrong, "The request signature we calculated does not match the signature you provided.")
	require(who.expires.IsZero() || !time.Now().After(who.expires), names.expired, "The security token included in the request is expired")
	action := p.service + ":" + c.Action
	require(slices.ContainsFunc(who.allow, func(a string) bool { ok, _ := path.Match(a, action); return ok }),
		names.denied, "User: arn:aws:iam::"+Account+":user/"+scope[0]+" is not authorized to perform: "+action)
	return scope[0]
}

func signature(secret string, scope []string, date, request string) string {
	key := []byte("AWS4" + secret)
	for _, part := range scope[1:] {
		key = standin.MAC(key, part)
	}
	text := strings.Join([]string{algorithm, date, strings.Join(scope[1:], "/"), standin.Sum([]byte(request))}, "\n")
	return hex.EncodeToString(standin.MAC(key, text))
}

// list returns the members of a list in a form: Name.member.1 and so on.
func list(form url.Values, name string) []string {
	var out []string
	for i := 1; form.Has(name + ".member." + strconv.Itoa(i)); i++ {
		out = append(out, form.Get(name+".member."+strconv.Itoa(i)))
	}
	return out
}
