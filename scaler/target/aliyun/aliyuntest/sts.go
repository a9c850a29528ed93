package aliyuntest

import (
	"strings"
	"time"
)

// session is one of a role that was assumed.
type session struct {
	user    User
	token   string
	expires time.Time
}

// user returns who an access key is of, and the token that goes with it.
func (s *Server) user(id string) (u User, token string, ok bool) {
	if u, ok = s.Users[id]; ok {
		return u, "", true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.sessions[id]
	if !ok || time.Now().After(one.expires) {
		return User{}, "", false
	}
	return one.user, one.token, true
}

func (s *Server) assumeRole(c *call) (map[string]any, *Error) {
	arn, name := c.form["RoleArn"], c.form["RoleSessionName"]
	seconds, fault := c.count("DurationSeconds", 3600)
	if fault != nil {
		return nil, fault
	}
	role, ok := s.Roles[arn]
	switch {
	case arn == "":
		return nil, missing("RoleArn")
	case len(name) < 2:
		return nil, &Error{Status: 400, Code: "InvalidParameter.RoleSessionName", Message: "The parameter RoleSessionName is wrongly formed."}
	case seconds < 900 || seconds > 43200:
		return nil, &Error{Status: 400, Code: "InvalidParameter.DurationSeconds", Message: "The Min/Max value of DurationSeconds is 15min/12hr."}
	case !ok:
		return nil, &Error{Status: 404, Code: "EntityNotExist.Role", Message: "The specified Role not exists: " + arn[strings.LastIndex(arn, "/")+1:] + "."}
	case role.ExternalID != c.form["ExternalId"]:
		return nil, &Error{Status: 403, Code: "NoPermission", Message: "You are not authorized to do this action. You should be authorized by RAM."}
	}
	id := s.newID("STS.")
	one := session{user: User{Secret: "secret of " + id, Actions: role.Actions}, token: "token of " + id, expires: time.Now().Add(role.Session)}
	if s.sessions == nil {
		s.sessions = make(map[string]session)
	}
	s.sessions[id] = one
	return map[string]any{
		"AssumedRoleUser": map[string]any{"Arn": arn + "/" + name, "AssumedRoleId": "34458433936495****:" + name},
		"Credentials": map[string]any{
			"AccessKeyId": id, "AccessKeySecret": one.user.Secret, "SecurityToken": one.token,
			"Expiration": one.expires.UTC().Format("2006-01-02T15:04:05Z"),
		},
	}, nil
}
