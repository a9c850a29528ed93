package command

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Config is the configuration of a command target, under the key command.
type Config struct {
	// Current is the program, and its arguments, that prints how many replicas
	// there are: one whole number, or {"requested": 3, "ready": 2} with min and
	// max where there are bounds.
	Current []string `yaml:"current"`
	// Scale is the program that asks for a number; {desired} in an argument is
	// that number.
	Scale []string `yaml:"scale"`
	// CurrentTimeout and ScaleTimeout are the longest that the programs may
	// take. What is above the server's own limit for one call has no effect.
	CurrentTimeout model.Duration `yaml:"current_timeout"`
	ScaleTimeout   model.Duration `yaml:"scale_timeout"`
	// PassEnv names variables of the server's own environment that the programs
	// are given, see program.Environ; Env is added to these.
	PassEnv []string          `yaml:"pass_env,omitempty"`
	Env     map[string]string `yaml:"env,omitempty"`
	// Dir is the working directory; empty: the server's.
	Dir string `yaml:"dir,omitempty"`
}

// NewConfig returns a configuration with its defaults set.
func NewConfig() target.Config {
	return &Config{CurrentTimeout: model.Duration(10 * time.Second), ScaleTimeout: model.Duration(10 * time.Second)}
}

// UnmarshalYAML sets the defaults and decodes over them.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	*c = *NewConfig().(*Config)
	type plain Config
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative paths relative to dir, the directory of the
// configuration file: that of dir, and those of programs given with a slash,
// which are relative to their working directory where that is given.
func (c *Config) SetDirectory(dir string) {
	c.Dir = target.JoinPath(dir, c.Dir)
	beside := cmp.Or(c.Dir, dir)
	c.Current = target.JoinCommand(beside, c.Current)
	c.Scale = target.JoinCommand(beside, c.Scale)
}

// Platform implements target.Config.
func (*Config) Platform() string { return "command" }

// Identity implements target.Config: what is scaled is named by the words with
// which it is asked for. Words that name the target make a thing of its own of
// it.
func (c *Config) Identity() string {
	example := placeholders{}
	named := placeholders{policy: "p", target: "t", scaleTarget: "s"}
	if strings.Join(example.expand(c.Scale), "\x00") != strings.Join(named.expand(c.Scale), "\x00") {
		return ""
	}
	id := fmt.Sprintf("command %q", c.Scale)
	if c.Dir != "" {
		id += " in " + c.Dir
	}
	if len(c.Env) > 0 {
		env, _ := json.Marshal(c.Env) // a map of strings
		id += fmt.Sprintf(" env %x", sha256.Sum256(env))
	}
	return id
}

// Validate implements target.Config. Programs and directory must be on this host.
func (c *Config) Validate() error {
	return cmp.Or(
		program.ValidateDir(c.Dir),
		validateArgv("current", c.Current, `["./count", "web"]`, forCurrent),
		validateArgv("scale", c.Scale, `["./resize", "web", "{desired}"]`, forScale),
		target.Check(strings.Contains(strings.Join(c.Scale[min(1, len(c.Scale)):], "\x00"), "{desired}"), "scale",
			`has no {desired} in its arguments, so that it would ask for the same whatever is wanted; write it as ["./resize", "web", "{desired}"]`),
		target.Check(c.CurrentTimeout > 0, "current_timeout", "must be longer than 0s"),
		target.Check(c.ScaleTimeout > 0, "scale_timeout", "must be longer than 0s"),
		program.ValidateEnviron(c.PassEnv, c.Env),
	)
}

func validateArgv(field string, argv []string, example, known string) error {
	if len(argv) == 0 || argv[0] == "" {
		return &target.FieldError{Field: field, Msg: "must name a program, as in " + example}
	}
	for _, arg := range argv[1:] {
		if err := checkPlaceholders(arg, known); err != nil {
			return target.CheckError(field, err)
		}
	}
	where := "in PATH"
	if strings.ContainsRune(argv[0], filepath.Separator) {
		where = "there"
	}
	err := program.Runnable(argv[0])
	return target.Check(err == nil, field, "program %q cannot be run: %v; it must be a file %s that may be executed", argv[0], err, where)
}

// New implements target.Config. Nothing is started.
func (c *Config) New(o target.Options) (target.Target, error) { return newTarget(c, o), nil }

var _ config.DirectorySetter = (*Config)(nil)

// placeholders are what stands for a part of a call in arguments.
type placeholders struct {
	desired, current            int
	policy, target, scaleTarget string
}

// What the arguments of the two programs may have.
const (
	forCurrent = "{policy}, {target} and {scale_target}"
	forScale   = "{desired}, {current}, {policy}, {target} and {scale_target}"
)

// word is what looks like a placeholder. Other braces are an argument's own.
var word = regexp.MustCompile(`\{[a-z_]+\}`)

func checkPlaceholders(arg, known string) error {
	for _, w := range word.FindAllString(arg, -1) {
		if !strings.Contains(known, w) {
			return fmt.Errorf("%s is not a placeholder; they are %s, and braces for another purpose go into a script", w, known)
		}
	}
	return nil
}

// expand puts the parts in place of the placeholders. The program itself has
// none.
func (p placeholders) expand(argv []string) []string {
	r := strings.NewReplacer(
		"{desired}", strconv.Itoa(p.desired), "{current}", strconv.Itoa(p.current),
		"{policy}", p.policy, "{target}", p.target, "{scale_target}", p.scaleTarget,
	)
	out := slices.Clone(argv)
	for i := 1; i < len(out); i++ {
		out[i] = r.Replace(out[i])
	}
	return out
}
