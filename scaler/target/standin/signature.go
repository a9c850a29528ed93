package standin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Signature is the header Authorization of a request that is signed as AWS does
// since version 4, and others after it.
type Signature struct {
	Algorithm, Credential, Signature string
	// Headers are the names of those that are signed.
	Headers []string
}

// SignatureOf reads a request's signature; what is missing is empty.
func SignatureOf(r *http.Request) Signature {
	algorithm, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	fields := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[k] = v
	}
	return Signature{algorithm, fields["Credential"], fields["Signature"], strings.Split(fields["SignedHeaders"], ";")}
}

// Covers reports whether all these headers are signed.
func (s Signature) Covers(headers ...string) bool {
	return !slices.ContainsFunc(headers, func(h string) bool { return !slices.Contains(s.Headers, h) })
}

// Canonical is a request in the form that is signed; sum is that of its body.
func (s Signature) Canonical(r *http.Request, sum string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n" + strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n")
	for _, h := range s.Headers {
		v := strings.Join(r.Header.Values(h), ",")
		switch h {
		case "host":
			v = r.Host
		case "content-length":
			v = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(h + ":" + strings.Join(strings.Fields(v), " ") + "\n")
	}
	b.WriteString("\n" + strings.Join(s.Headers, ";") + "\n" + sum)
	return b.String()
}

// MAC is the HMAC with SHA-256 of a text.
func MAC(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Sum is the SHA-256 of content, in hexadecimal.
func Sum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
