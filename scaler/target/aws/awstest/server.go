// Package awstest is AWS as far as groups of instances and services are scaled:
// it speaks the published protocols of EC2 Auto Scaling (query, 2011-01-01),
// ECS and Application Auto Scaling (JSON 1.1) and STS (query, 2011-06-15),
// verifies the signature of every request, and starts nothing.
package awstest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
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

	mu       sync.Mutex // guards what follows
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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[accessKey] = &principal{secret: secret, allow: allow}
}

// AddRole adds a role and returns its ARN. Its credentials are good for an
// hour, as they say; lifetime, where not 0, is when they end all the same.
func (s *Server) AddRole(name, externalID string, lifetime time.Duration, allow ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := "arn:aws:iam::" + Account + ":role/" + name
	s.roles[arn] = &role{externalID: externalID, allow: allow, lifetime: lifetime}
	return arn
}

// Fail has calls answered badly for which f returns a fault. Nil: none.
func (s *Server) Fail(f func(Call) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Calls returns the calls since the start, or the last Forget, that were of
// one of the actions; of any where none is named.
func (s *Server) Calls(actions ...string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if len(actions) == 0 || slices.Contains(actions, c.Action) {
			out = append(out, c)
		}
	}
	return out
}

// Forget forgets the calls so far.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

// apiError is an error as AWS answers it.
type apiError struct {
	status        int
	code, message string
}

func refuse(code, format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

// protocol is how a call came and is answered.
type protocol struct {
	json      bool
	service   string // as it is signed for
	namespace string // of the XML
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.ids++
	w.Header().Set("X-Amzn-Requestid", fmt.Sprintf("00000000-0000-4000-8000-%012d", s.ids))
	s.mu.Unlock()
	call, p, bad := parse(r, body)
	if bad == nil {
		call.Key, bad = s.authenticate(r, body, p, call)
	}
	if bad != nil {
		answerError(w, p, bad)
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, call)
	fault := s.fault
	limited := s.limited()
	s.mu.Unlock()
	if limited {
		code := "Throttling"
		if p.json {
			code = "ThrottlingException"
		}
		answerError(w, p, refuse(code, "Rate exceeded"))
		return
	}
	var f *Fault
	if fault != nil {
		f = fault(call)
	}
	if f == nil || f.After {
		s.mu.Lock()
		result, bad := s.do(p, call)
		s.mu.Unlock()
		if f == nil {
			answerResult(w, p, call.Action, result, bad)
			return
		}
	}
	f.answer(w, r, p)
}

func (f *Fault) answer(w http.ResponseWriter, r *http.Request, p protocol) {
	if f.Hang {
		<-r.Context().Done()
		return
	}
	maps.Copy(w.Header(), f.Header)
	if f.Code == "" {
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Raw)
		return
	}
	answerError(w, p, &apiError{f.Status, f.Code, f.Message})
}

// limited counts a call and reports whether it is one too many. s.mu is held.
func (s *Server) limited() bool {
	now := time.Now()
	if now.Sub(s.window) > time.Second {
		s.window, s.answered = now, 0
	}
	s.answered++
	return s.Rate > 0 && s.answered > s.Rate
}

// targets are the services whose operations X-Amz-Target names.
var targets = map[string]string{
	"AmazonEC2ContainerServiceV20141113": "ecs",
	"AnyScaleFrontendService":            "application-autoscaling",
}

// versions are the services whose operations a form names.
var versions = map[string]protocol{
	"2011-01-01": {service: "autoscaling", namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/"},
	"2011-06-15": {service: "sts", namespace: "https://sts.amazonaws.com/doc/2011-06-15/"},
}

// parse reads which operation is asked for.
func parse(r *http.Request, body []byte) (Call, protocol, *apiError) {
	if r.Method != http.MethodPost || r.URL.Path != "/" {
		return Call{}, protocol{}, &apiError{http.StatusNotFound, "UnknownOperationException", r.Method + " " + r.URL.Path}
	}
	if header := r.Header.Get("X-Amz-Target"); header != "" {
		prefix, action, _ := strings.Cut(header, ".")
		p := protocol{json: true, service: targets[prefix]}
		if p.service == "" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
			return Call{}, p, refuse("UnknownOperationException", "%s", header)
		}
		c := Call{Service: p.service, Action: action}
		if err := json.Unmarshal(body, &c.Body); err != nil {
			return c, p, refuse("SerializationException", "%v", err)
		}
		return c, p, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return Call{}, protocol{}, refuse("MalformedInput", "not a form")
	}
	p, ok := versions[form.Get("Version")]
	if !ok {
		return Call{}, p, refuse("NoSuchVersion", "%q", form.Get("Version"))
	}
	return Call{Service: p.service, Action: form.Get("Action"), Form: form}, p, nil
}

// do carries a call out. s.mu is held.
func (s *Server) do(p protocol, c Call) (any, *apiError) {
	switch p.service {
	case "sts":
		return s.sts(c)
	case "autoscaling":
		return s.autoscaling(c)
	case "ecs":
		return s.ecs(c)
	default:
		return s.scalable(c)
	}
}

func answerResult(w http.ResponseWriter, p protocol, action string, result any, bad *apiError) {
	if bad != nil {
		answerError(w, p, bad)
		return
	}
	if p.json {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(result)
		return
	}
	inner := new(bytes.Buffer)
	if result != nil {
		if err := xml.NewEncoder(inner).EncodeElement(result, xml.StartElement{Name: xml.Name{Local: action + "Result"}}); err != nil {
			panic(err)
		}
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="%[2]s">%[3]s<ResponseMetadata><RequestId>%[4]s</RequestId></ResponseMetadata></%[1]sResponse>`,
		action, p.namespace, inner, w.Header().Get("X-Amzn-Requestid"))
}

func answerError(w http.ResponseWriter, p protocol, e *apiError) {
	if p.json {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(e.status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": e.code, "message": e.message})
		return
	}
	kind := "Sender"
	if e.status >= 500 {
		kind = "Receiver"
	}
	var message bytes.Buffer
	_ = xml.EscapeText(&message, []byte(e.message))
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(e.status)
	_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns="%s"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		p.namespace, kind, e.code, &message, w.Header().Get("X-Amzn-Requestid"))
}
