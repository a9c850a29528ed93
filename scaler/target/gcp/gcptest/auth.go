package gcptest

import (
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
	"strings"
	"sync"
	"time"
)

// cloudScope is the scope that covers all of the API.
const cloudScope = "https://www.googleapis.com/auth/cloud-platform"

// KeyFile makes a service account, if there is none of that address yet, and
// returns its key as a file that Google would give out, with the token endpoint
// of the server at the base URL. The account has the permissions given; none:
// all of them.
func (s *Server) KeyFile(base, email string, permissions ...string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[email]
	if !ok {
		key, err := keyFor(email)
		if err != nil {
			return nil, err
		}
		a = &account{key: key, actsAs: make(map[string]bool)}
		if s.accounts == nil {
			s.accounts = make(map[string]*account)
		}
		s.accounts[email] = a
	}
	a.permissions = nil
	if len(permissions) > 0 {
		a.permissions = make(map[string]bool)
		for _, p := range permissions {
			a.permissions[p] = true
		}
	}
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

// keys are those that were made, by account: to make one takes a while, and all
// servers may have the same.
var keys = struct {
	sync.Mutex
	of map[string]*rsa.PrivateKey
}{of: make(map[string]*rsa.PrivateKey)}

func keyFor(email string) (*rsa.PrivateKey, error) {
	keys.Lock()
	defer keys.Unlock()
	if key, ok := keys.of[email]; ok {
		return key, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err == nil {
		keys.of[email] = key
	}
	return key, err
}

// LetActAs lets one service account act as another.
func (s *Server) LetActAs(email, other string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[email].actsAs[other] = true
}

// Revoke takes a service account's key away; tokens that it got stay valid.
func (s *Server) Revoke(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[email].key = nil
}

// RevokeTokens makes all tokens invalid.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = nil
}

func keyID(a *account) string {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&a.key.PublicKey))
	return hex.EncodeToString(sum[:20])
}

// giveToken answers POST /token: a JWT that a service account signed, for an
// access token (RFC 7523).
func (s *Server) giveToken(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		tokenRefused(w, http.StatusBadRequest, "invalid_request", "Bad Request")
		return
	}
	if r.PostForm.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		tokenRefused(w, http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: "+r.PostForm.Get("grant_type"))
		return
	}
	email, problem := s.verify(r.PostForm.Get("assertion"), r.Host)
	if problem != "" {
		tokenRefused(w, http.StatusBadRequest, "invalid_grant", problem)
		return
	}
	value, life := s.newToken(email)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": value, "expires_in": int(life.Seconds()), "token_type": "Bearer"})
}

func (s *Server) newToken(email string) (string, time.Duration) {
	life := s.TokenLifetime
	if life == 0 {
		life = time.Hour
	}
	b := make([]byte, 24)
	_, _ = rand.Read(b)
	value := "ya29." + base64.RawURLEncoding.EncodeToString(b)
	if s.tokens == nil {
		s.tokens = make(map[string]token)
	}
	s.tokens[value] = token{email: email, expires: time.Now().Add(life)}
	return value, life
}

// verify checks an assertion and returns who made it, or what is wrong with it.
func (s *Server) verify(assertion, host string) (email, problem string) {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return "", "Invalid JWT: not three parts."
	}
	var header struct{ Alg, Typ, Kid string }
	var claims struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	for i, into := range []any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			return "", "Invalid JWT: cannot be decoded."
		}
	}
	a := s.accounts[claims.Iss]
	if a == nil {
		return "", "Invalid grant: account not found"
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	now := time.Now().Unix()
	switch {
	case header.Alg != "RS256" || a.key == nil || header.Kid != keyID(a) || err != nil,
		rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) != nil:
		return "", "Invalid JWT Signature."
	case claims.Aud != "http://"+host+"/token":
		return "", "Invalid JWT: Failed audience check."
	case claims.Iat > now+60 || claims.Exp < now || claims.Exp > claims.Iat+3700:
		return "", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
	case claims.Scope != cloudScope:
		return "", "Invalid OAuth scope or ID token audience provided."
	}
	return claims.Iss, ""
}

// tokenRefused answers with an error as those of OAuth 2.0 are.
func tokenRefused(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": description})
}

// bearer returns whose token a request carries.
func (s *Server) bearer(r *http.Request, now time.Time) (string, bool) {
	value, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t, known := s.tokens[value]
	if !ok || !known || now.After(t.expires) {
		return "", false
	}
	return t.email, true
}

// impersonate answers POST /v1/projects/-/serviceAccounts/EMAIL:generateAccessToken.
func (s *Server) impersonate(w http.ResponseWriter, r *http.Request) {
	email, ok := s.bearer(r, time.Now())
	if !ok {
		refuse(w, http.StatusUnauthorized, "authError", "Request had invalid authentication credentials.", "", nil)
		return
	}
	other, ok := strings.CutPrefix(r.URL.Path, "/v1/projects/-/serviceAccounts/")
	other = strings.TrimSuffix(other, ":generateAccessToken")
	var req struct {
		Scope    []string
		Lifetime string
	}
	switch {
	case !ok || r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&req) != nil || len(req.Scope) != 1 || req.Scope[0] != cloudScope:
		refuse(w, http.StatusBadRequest, "badRequest", "Request contains an invalid argument.", "", nil)
	case s.accounts[other] == nil:
		refuse(w, http.StatusNotFound, "notFound", "Not found; Gaia id not found for email "+other, "", nil)
	case !s.accounts[email].actsAs[other]:
		refuse(w, http.StatusForbidden, "forbidden", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).", "", nil)
	default:
		value, life := s.newToken(other)
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_ = json.NewEncoder(w).Encode(map[string]string{
			"accessToken": value, "expireTime": time.Now().Add(life).UTC().Format(time.RFC3339),
		})
	}
}
