package command

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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

// environ is the same for programs that would rather read variables.
func (p placeholders) environ() []string {
	return []string{
		"ALERTSCALER_POLICY=" + p.policy,
		"ALERTSCALER_TARGET=" + p.target,
		"ALERTSCALER_SCALE_TARGET=" + p.scaleTarget,
	}
}
