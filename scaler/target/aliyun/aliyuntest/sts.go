package aliyuntest

import (
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// noPermission is what STS calls it where a user may not do something.
const (
	noPermission        = "NoPermission"
	noPermissionMessage = "You are not authorized to do this action. You should be authorized by RAM."
)

// session is one of a role that was assumed.
type session struct {
	user    User
	token   string
	expires time.Time
}

// user returns who an access key is of, and the token that goes with it.
func (s *Server) user(id string) (u User, token string) {
	if u, ok := s.Users[id]; ok {
		return u, ""
	}
	one, ok := s.sessions[id]
	standin.Require(ok && !time.Now().After(one.expires), 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	return one.user, one.token
}

func (s *Server) assumeRole(c *call) object {
	arn, name := c.form["RoleArn"], c.form["RoleSessionName"]
	seconds := c.count("DurationSeconds", 3600)
	role, ok := s.Roles[arn]
	given(arn != "", "RoleArn")
	standin.Require(len(name) >= 2, 400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
	standin.Require(seconds >= 900 && seconds <= 43200,
		400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/12hr.")
	standin.Require(ok, 404, "EntityNotExist.Role", "The specified Role not exists: %s.", arn[strings.LastIndex(arn, "/")+1:])
	standin.Require(role.ExternalID == c.form["ExternalId"], 403, noPermission, noPermissionMessage)
	id := s.newID("STS.")
	one := session{user: User{Secret: "secret of " + id, Actions: role.Actions}, token: "token of " + id, expires: time.Now().Add(role.Session)}
	s.sessions = standin.Put(s.sessions, id, one)
	return object{
		"AssumedRoleUser": object{"Arn": arn + "/" + name, "AssumedRoleId": "34458433936495****:" + name},
		"Credentials": object{
			"AccessKeyId": id, "AccessKeySecret": one.user.Secret, "SecurityToken": one.token,
			"Expiration": one.expires.UTC().Format("2006-01-02T15:04:05Z"),
		},
	}
}
