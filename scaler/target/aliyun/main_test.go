package aliyun

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/aliyun/aliyuntest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

const (
	testRegion = "cn-hangzhou"
	testGroup  = "asg-bp18p2yfxow2dloq0001"
	testKey    = "LTAI0000000000000001"
	testSecret = "secret-1"
)

// web is a group of two instances that boot soon.
func web() aliyuntest.Group {
	return aliyuntest.Group{
		ID: testGroup, Name: "shop-web", Region: testRegion, Max: 10, Count: 2,
		Boot: 20 * time.Millisecond, Stop: 10 * time.Millisecond,
	}
}

// expecting is web with an expected number of instances.
func expecting() aliyuntest.Group {
	g := web()
	g.Expected = true
	return g
}

// api serves groups and returns the server and its host.
func api(t testing.TB, groups ...aliyuntest.Group) (*aliyuntest.Server, string) {
	t.Helper()
	s := &aliyuntest.Server{Users: map[string]aliyuntest.User{testKey: {Secret: testSecret}}}
	s.Add(groups...)
	return s, serve(s)
}

// hosts are those that the tests' clients reach, without the network.
var hosts targettest.Hosts

func serve(h http.Handler) string { return hosts.Serve(h) }

const unreachable = "nowhere.test"

// virtual runs a test in virtual time, beside others.
func virtual(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// access is that of the test's user.
func access(host string) Access {
	return Access{Region: testRegion, Endpoint: host, Protocol: "http", AccessKeyID: testKey, AccessKeySecret: testSecret}
}

// wired are clients that reach hosts, with the zero value's patience.
func wired() *Clients { return &Clients{transport: &http.Client{Transport: &hosts}} }

// quick are clients that keep nothing for long.
func quick() *Clients {
	c := wired()
	c.snapshotAge, c.followEvery, c.showsWithin = 5*time.Millisecond, 5*time.Millisecond, 2*time.Second
	return c
}

func build(t testing.TB, cfg *Config) *group {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	tgt, err := cfg.New(target.Options{Policy: "shop", Name: "east"})
	if err != nil {
		t.Fatal(err)
	}
	return tgt.(*group)
}

// at returns a target on the group that web describes.
func at(t testing.TB, host string) *group {
	t.Helper()
	return build(t, &Config{ScalingGroupID: testGroup, Access: access(host), clients: quick()})
}

func current(t testing.TB, tgt target.Target) target.State {
	t.Helper()
	st, err := tgt.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// until waits for a state.
func until(t testing.TB, tgt target.Target, what string, ok func(target.State) bool) target.State {
	t.Helper()
	var st target.State
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if st = current(t, tgt); ok(st) {
			return st
		}
	}
	t.Fatalf("%+v after ten seconds, want %s", st, what)
	return st
}

// kinds are a group that has an expected number and one without.
func kinds() map[string]aliyuntest.Group {
	return map[string]aliyuntest.Group{"expected": expecting(), "activities": web()}
}

// both runs a test, in virtual time, on a group that has an expected number and on one without.
func both(t *testing.T, test func(*testing.T, aliyuntest.Group)) {
	t.Helper()
	for name, like := range kinds() {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) { test(t, like) })
		})
	}
}
