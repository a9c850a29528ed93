package awstest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// sts answers STS.
func (s *Server) sts(c Call) any {
	switch c.Action {
	case "GetCallerIdentity":
		return element{"Arn", "arn:aws:iam::" + Account + ":user/" + c.Key, "UserId", c.Key, "Account", Account}
	case "AssumeRole":
		return s.assumeRole(c)
	}
	require(false, "InvalidAction", "Could not find operation %s", c.Action)
	return nil
}

func (s *Server) assumeRole(c Call) any {
	arn, session := c.Form.Get("RoleArn"), c.Form.Get("RoleSessionName")
	require(len(session) >= 2, "ValidationError", "RoleSessionName must have at least 2 characters")
	r, ok := s.roles[arn]
	standin.Require(ok && r.externalID == c.Form.Get("ExternalId"), http.StatusForbidden, "AccessDenied",
		"User: arn:aws:iam::%s:user/%s is not authorized to perform: sts:AssumeRole on resource: %s", Account, c.Key, arn)
	s.ids++
	key, token := fmt.Sprintf("ASIA%012d", s.ids), fmt.Sprintf("token-%d-of-%s", s.ids, session)
	p := &principal{secret: "secret-of-" + key, token: token, allow: r.allow}
	if r.lifetime > 0 {
		p.expires = time.Now().Add(r.lifetime)
	}
	s.keys[key] = p
	user := element{"Arn", arn + "/" + session, "AssumedRoleId", key + ":" + session}
	credentials := element{
		"AccessKeyId", key, "SecretAccessKey", p.secret, "SessionToken", token,
		"Expiration", time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}
	return element{"AssumedRoleUser", user, "Credentials", credentials}
}
