package awstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
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
func (s *Server) authenticate(r *http.Request, body []byte, p protocol, c Call) (string, *apiError) {
	names := codes[p.json]
	status := http.StatusForbidden
	if p.json {
		status = http.StatusBadRequest
	}
	no := func(code, message string) *apiError { return &apiError{status, code, message} }

	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" ")
	if !ok {
		return "", no(names.missing, "Request is missing Authentication Token")
	}
	params := make(map[string]string)
	for f := range strings.SplitSeq(fields, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(f), "=")
		params[k] = v
	}
	scope := strings.Split(params["Credential"], "/")
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(timeFormat, date)
	if len(scope) != 5 || err != nil {
		return "", no(names.missing, "the Authorization header is incomplete")
	}
	if skew := time.Since(at); skew > maxSkew || skew < -maxSkew {
		return "", no(names.wrong, "Signature expired: "+date)
	}
	if scope[1] != date[:8] || scope[2] != s.Region || scope[3] != p.service || scope[4] != "aws4_request" {
		return "", no(names.wrong, "Credential should be scoped to "+s.Region+" and "+p.service+", not "+params["Credential"])
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	who, ok := s.keys[scope[0]]
	if !ok || r.Header.Get("X-Amz-Security-Token") != who.token {
		return "", no(names.unknown, "The security token included in the request is invalid.")
	}
	signed := strings.Split(params["SignedHeaders"], ";")
	must := []string{"host", "x-amz-date"}
	if who.token != "" {
		must = append(must, "x-amz-security-token")
	}
	for _, h := range must {
		if !slices.Contains(signed, h) {
			return "", no(names.wrong, "header "+h+" is not signed")
		}
	}
	want := signature(who.secret, scope, date, canonical(r, body, signed))
	if !hmac.Equal([]byte(want), []byte(params["Signature"])) {
		return "", no(names.wrong, "The request signature we calculated does not match the signature you provided.")
	}
	if !who.expires.IsZero() && time.Now().After(who.expires) {
		return "", no(names.expired, "The security token included in the request is expired")
	}
	action := p.service + ":" + c.Action
	if !slices.ContainsFunc(who.allow, func(a string) bool { ok, _ := path.Match(a, action); return ok }) {
		return "", no(names.denied, "User: arn:aws:iam::"+Account+":user/"+scope[0]+" is not authorized to perform: "+action)
	}
	return scope[0], nil
}

// canonical is the request in the form that is signed.
func canonical(r *http.Request, body []byte, signed []string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n" + strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n")
	for _, h := range signed {
		v := strings.Join(r.Header.Values(h), ",")
		switch h {
		case "host":
			v = r.Host
		case "content-length":
			v = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(h + ":" + strings.Join(strings.Fields(v), " ") + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + hash(body))
	return b.String()
}

func signature(secret string, scope []string, date, request string) string {
	key := []byte("AWS4" + secret)
	for _, part := range scope[1:] {
		key = mac(key, part)
	}
	text := strings.Join([]string{algorithm, date, strings.Join(scope[1:], "/"), hash([]byte(request))}, "\n")
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// list returns the members of a list in a form: Name.member.1 and so on.
func list(form url.Values, name string) []string {
	var out []string
	for i := 1; form.Has(name + ".member." + strconv.Itoa(i)); i++ {
		out = append(out, form.Get(name+".member."+strconv.Itoa(i)))
	}
	return out
}
