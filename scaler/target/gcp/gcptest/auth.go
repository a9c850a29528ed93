package gcptest

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// cloudScope is the scope that covers all of the API.
const cloudScope = "https://www.googleapis.com/auth/cloud-platform"

// KeyFile makes a service account, if there is none of that address yet, and
// returns its key as a file that Google would give out, with the token endpoint
// of the server at the base URL. The account has the permissions given; none:
// all of them.
func (s *Server) KeyFile(base, email string, permissions ...string) (file []byte, err error) {
	s.state.Do(func() {
		if s.accounts[email] == nil {
			var key *rsa.PrivateKey
			if key, err = keyFor(email); err != nil {
				return
			}
			s.accounts = standin.Put(s.accounts, email, &account{key: key})
		}
		a := s.accounts[email]
		a.permissions = permissions
		file, err = a.file(base, email)
	})
	return file, err
}

func (a *account) file(base, email string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{
		"type": "service_account", "project_id": "shop", "private_key_id": keyID(a), "client_email": email, "client_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"auth_uri":    base + "/auth", "token_uri": base + "/token", "universe_domain": "googleapis.com",
	})
}

// keys make the key of each account once: that takes a while, and all servers
// may have the same.
var keys sync.Map

func keyFor(email string) (*rsa.PrivateKey, error) {
	key, _ := keys.LoadOrStore(email, sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }))
	return key.(func() (*rsa.PrivateKey, error))()
}

// LetActAs lets one service account act as another.
func (s *Server) LetActAs(email, other string) {
	s.state.Do(func() { s.accounts[email].actsAs = append(s.accounts[email].actsAs, other) })
}

// Revoke takes a service account's key away; tokens that it got stay valid.
func (s *Server) Revoke(email string) { s.state.Do(func() { s.accounts[email].key = nil }) }

// RevokeTokens makes all tokens invalid.
func (s *Server) RevokeTokens() { s.state.Do(func() { s.tokens = nil }) }

func keyID(a *account) string {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&a.key.PublicKey))
	return hex.EncodeToString(sum[:20])
}

// giveToken answers POST /token: a JWT that a service account signed, for an
// access token (RFC 7523).
func (s *Server) giveToken(w http.ResponseWriter, r *http.Request) {
	standin.Require(r.Method == http.MethodPost && r.ParseForm() == nil, http.StatusBadRequest, "invalid_request", "Bad Request")
	grant := r.PostForm.Get("grant_type")
	standin.Require(grant == "urn:ietf:params:oauth:grant-type:jwt-bearer",
		http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: %s", grant)
	value, life := s.newToken(s.verify(r.PostForm.Get("assertion"), r.Host))
	standin.JSON(w, http.StatusOK, oauthType, object{"access_token": value, "expires_in": int(life.Seconds()), "token_type": "Bearer"})
}

// oauthType is how the token endpoint spells it.
const oauthType = "application/json; charset=utf-8"

func (s *Server) newToken(email string) (string, time.Duration) {
	life := cmp.Or(s.TokenLifetime, time.Hour)
	value := "ya29." + rand.Text()
	s.tokens = standin.Put(s.tokens, value, token{email: email, expires: time.Now().Add(life)})
	return value, life
}

// verify checks an assertion and returns who made it.
func (s *Server) verify(assertion, host string) (email string) {
	valid := func(ok bool, problem string) {
		standin.Require(ok, http.StatusBadRequest, "invalid_grant", "%s", problem)
	}
	parts := strings.Split(assertion, ".")
	valid(len(parts) == 3, "Invalid JWT: not three parts.")
	var header struct{ Alg, Typ, Kid string }
	var claims struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	for i, into := range []any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		valid(err == nil && json.Unmarshal(b, into) == nil, "Invalid JWT: cannot be decoded.")
	}
	a := s.accounts[claims.Iss]
	valid(a != nil, "Invalid grant: account not found")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	valid(header.Alg == "RS256" && a.key != nil && header.Kid == keyID(a) && err == nil &&
		rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) == nil, "Invalid JWT Signature.")
	valid(claims.Aud == "http://"+host+"/token", "Invalid JWT: Failed audience check.")
	now := time.Now().Unix()
	valid(claims.Iat <= now+60 && claims.Exp >= now && claims.Exp <= claims.Iat+3700,
		"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
	valid(claims.Scope == cloudScope, "Invalid OAuth scope or ID token audience provided.")
	return claims.Iss
}

// bearer returns whose token a request carries.
func (s *Server) bearer(r *http.Request, problem string) (email string) {
	value, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t, known := s.tokens[value]
	standin.Require(ok && known && !time.Now().After(t.expires), http.StatusUnauthorized, "authError", "%s", problem)
	return t.email
}

// impersonate answers POST /v1/projects/-/serviceAccounts/EMAIL:generateAccessToken.
func (s *Server) impersonate(w http.ResponseWriter, r *http.Request) {
	email := s.bearer(r, "Request had invalid authentication credentials.")
	other, ok := strings.CutPrefix(r.URL.Path, "/v1/projects/-/serviceAccounts/")
	other = strings.TrimSuffix(other, ":generateAccessToken")
	var req struct {
		Scope    []string
		Lifetime string
	}
	standin.Require(ok && r.Method == http.MethodPost && standin.Decode(r, &req) && slices.Equal(req.Scope, []string{cloudScope}),
		http.StatusBadRequest, "badRequest", "Request contains an invalid argument.")
	standin.Require(s.accounts[other] != nil, http.StatusNotFound, "notFound", "Not found; Gaia id not found for email %s", other)
	standin.Require(slices.Contains(s.accounts[email].actsAs, other), http.StatusForbidden, "forbidden",
		"Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).")
	value, life := s.newToken(other)
	standin.JSON(w, http.StatusOK, contentType, object{"accessToken": value, "expireTime": time.Now().Add(life).UTC().Format(time.RFC3339)})
}
