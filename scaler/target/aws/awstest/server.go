// Package awstest is AWS as far as groups of instances and services are scaled:
// it speaks the published protocols of EC2 Auto Scaling (query, 2011-01-01),
// ECS and Application Auto Scaling (JSON 1.1) and STS (query, 2011-06-15),
// verifies the signature of every request, and starts nothing.
package awstest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target/standin"
)

// Account is the account that everything belongs to.
const Account = "123456789012"

// Server is one region of AWS, an http.Handler. Its exported fields are set
// before the first request; all methods are safe for concurrent use.
type Server struct {
	Region string
	// Lag is how long an accepted number takes to be shown.
	Lag time.Duration
	// PageSize is the most that a page has, whatever was asked for; 0: the
	// service's own limit.
	PageSize int
	// Rate is how many calls a second are answered, all together; 0: any.
	Rate int

	state    standin.State // guards what follows
	keys     map[string]*principal
	roles    map[string]*role
	groups   map[string]*group
	services map[string]*service
	calls    []Call
	window   time.Time
	answered int // since window
	fault    func(Call) *Fault
	ids      int
}

// Call is a request whose signature was right.
type Call struct {
	// Service is the name it was signed for, Action the operation's.
	Service, Action string
	// Key is the access key it was signed with.
	Key string
	// Form has the parameters of a query, Body those of JSON.
	Form url.Values
	Body map[string]any
}

// Fault is a bad answer to a call.
type Fault struct {
	Status        int
	Code, Message string
	Header        http.Header
	// Raw is the body where it is not an error of AWS.
	Raw string
	// Hang says never to answer.
	Hang bool
	// After says that the call is carried out before it is answered badly.
	After bool
}

// principal is who an access key belongs to.
type principal struct {
	secret, token string
	allow         []string
	expires       time.Time
}

type role struct {
	externalID string
	allow      []string
	lifetime   time.Duration
}

// New returns a region without anything in it, and with a user whose access
// key is AKIAGOOD and whose secret is good-secret, who may do anything.
func New(region string) *Server {
	s := &Server{
		Region: region, keys: make(map[string]*principal), roles: make(map[string]*role),
		groups: make(map[string]*group), services: make(map[string]*service),
	}
	s.AddUser("AKIAGOOD", "good-secret", "*")
	return s
}

// AddUser adds a user who may do what is named, as policies of IAM name it:
// autoscaling:Describe*, ecs:UpdateService, or *.
func (s *Server) AddUser(accessKey, secret string, allow ...string) {
	s.state.Do(func() { s.keys[accessKey] = &principal{secret: secret, allow: allow} })
}

// AddRole adds a role and returns its ARN. Its credentials are good for an
// hour, as they say; lifetime, where not 0, is when they end all the same.
func (s *Server) AddRole(name, externalID string, lifetime time.Duration, allow ...string) string {
	arn := "arn:aws:iam::" + Account + ":role/" + name
	s.state.Do(func() { s.roles[arn] = &role{externalID: externalID, allow: allow, lifetime: lifetime} })
	return arn
}

// Fail has calls answered badly for which f returns a fault. Nil: none.
func (s *Server) Fail(f func(Call) *Fault) { s.state.Do(func() { s.fault = f }) }

// Calls returns the calls since the start, or the last Forget, that were of
// one of the actions; of any where none is named.
func (s *Server) Calls(actions ...string) (out []Call) {
	s.state.Do(func() { out = slices.Clone(s.calls) })
	return slices.DeleteFunc(out, func(c Call) bool { return len(actions) > 0 && !slices.Contains(actions, c.Action) })
}

// Forget forgets the calls so far.
func (s *Server) Forget() { s.state.Do(func() { s.calls = nil }) }

// require refuses unless ok, as most calls are refused.
func require(ok bool, code, format string, args ...any) {
	standin.Require(ok, http.StatusBadRequest, code, format, args...)
}

// protocol is how a call came and is answered, and who carries it out.
type protocol struct {
	json      bool
	service   string // as it is signed for
	namespace string // of the XML
	do        func(*Server, Call) any
}

// protocols are the services by what names them: the beginning of X-Amz-Target,
// or the version in a form.
var protocols = map[string]protocol{
	"AmazonEC2ContainerServiceV20141113": {json: true, service: "ecs", do: (*Server).ecs},
	"AnyScaleFrontendService":            {json: true, service: "application-autoscaling", do: (*Server).scalable},
	"2011-01-01":                         {service: "autoscaling", namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/", do: (*Server).autoscaling},
	"2011-06-15":                         {service: "sts", namespace: "https://sts.amazonaws.com/doc/2011-06-15/", do: (*Server).sts},
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var c Call
	var p protocol
	var fault func(Call) *Fault
	refusal := s.state.Try(func() {
		s.ids++
		w.Header().Set("X-Amzn-Requestid", fmt.Sprintf("00000000-0000-4000-8000-%012d", s.ids))
		parse(r, body, &c, &p)
		c.Key = s.authenticate(r, body, p, c)
		s.calls = append(s.calls, c)
		fault = s.fault
		s.limit(p)
	})
	var f *Fault
	if refusal == nil && fault != nil {
		f = fault(c)
	}
	var result any // an object or an element
	if refusal == nil && (f == nil || f.After) {
		refusal = s.state.Try(func() { result = p.do(s, c) })
	}
	switch {
	case f != nil:
		f.answer(w, r, p)
	case refusal != nil:
		answerError(w, p, refusal.Status, refusal.Code, refusal.Message)
	default:
		answerResult(w, p, c.Action, result)
	}
}

func (f *Fault) answer(w http.ResponseWriter, r *http.Request, p protocol) {
	if f.Hang {
		<-r.Context().Done()
		return
	}
	maps.Copy(w.Header(), f.Header)
	if f.Code == "" {
		standin.Raw(w, f.Status, f.Raw)
		return
	}
	answerError(w, p, f.Status, f.Code, f.Message)
}

// limit counts a call and refuses it where it is one too many.
func (s *Server) limit(p protocol) {
	now := time.Now()
	if now.Sub(s.window) > time.Second {
		s.window, s.answered = now, 0
	}
	s.answered++
	require(s.Rate == 0 || s.answered <= s.Rate, standin.Either(p.json, "ThrottlingException", "Throttling"), "Rate exceeded")
}

// parse reads which operation is asked for.
func parse(r *http.Request, body []byte, c *Call, p *protocol) {
	standin.Require(r.Method == http.MethodPost && r.URL.Path == "/",
		http.StatusNotFound, "UnknownOperationException", "%s %s", r.Method, r.URL.Path)
	if header := r.Header.Get("X-Amz-Target"); header != "" {
		prefix, action, _ := strings.Cut(header, ".")
		*p = protocols[prefix]
		p.json = true
		require(p.service != "" && p.namespace == "" && r.Header.Get("Content-Type") == contentType, "UnknownOperationException", "%s", header)
		*c = Call{Service: p.service, Action: action}
		err := json.Unmarshal(body, &c.Body)
		require(err == nil, "SerializationException", "%v", err)
		return
	}
	form, err := url.ParseQuery(string(body))
	require(err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"), "MalformedInput", "not a form")
	version := form.Get("Version")
	require(!protocols[version].json && protocols[version].service != "", "NoSuchVersion", "%q", version)
	*p = protocols[version]
	*c = Call{Service: p.service, Action: form.Get("Action"), Form: form}
}
