package awstest

import (
	"fmt"
	"net/http"
	"time"
)

// sts answers STS. s.mu is held.
func (s *Server) sts(c Call) (any, *apiError) {
	switch c.Action {
	case "GetCallerIdentity":
		return struct {
			Arn     string
			UserID  string `xml:"UserId"`
			Account string
		}{"arn:aws:iam::" + Account + ":user/" + c.Key, c.Key, Account}, nil
	case "AssumeRole":
		return s.assumeRole(c)
	}
	return nil, refuse("InvalidAction", "Could not find operation %s", c.Action)
}

func (s *Server) assumeRole(c Call) (any, *apiError) {
	arn, session := c.Form.Get("RoleArn"), c.Form.Get("RoleSessionName")
	if len(session) < 2 {
		return nil, refuse("ValidationError", "RoleSessionName must have at least 2 characters")
	}
	r, ok := s.roles[arn]
	if !ok || r.externalID != c.Form.Get("ExternalId") {
		return nil, &apiError{http.StatusForbidden, "AccessDenied", fmt.Sprintf(
			"User: arn:aws:iam::%s:user/%s is not authorized to perform: sts:AssumeRole on resource: %s", Account, c.Key, arn)}
	}
	s.ids++
	key, token := fmt.Sprintf("ASIA%012d", s.ids), fmt.Sprintf("token-%d-of-%s", s.ids, session)
	p := &principal{secret: "secret-of-" + key, token: token, allow: r.allow}
	if r.lifetime > 0 {
		p.expires = time.Now().Add(r.lifetime)
	}
	s.keys[key] = p
	type credentials struct {
		AccessKeyID                               string `xml:"AccessKeyId"`
		SecretAccessKey, SessionToken, Expiration string
	}
	type user struct {
		Arn           string
		AssumedRoleID string `xml:"AssumedRoleId"`
	}
	return struct {
		AssumedRoleUser user
		Credentials     credentials
	}{
		user{arn + "/" + session, key + ":" + session},
		credentials{key, p.secret, token, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)},
	}, nil
}
