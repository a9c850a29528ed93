package main

import (
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/alecthomas/kingpin/v2"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// outputFlag adds the flag of commands that print for people or programs.
func outputFlag(cmd *kingpin.CmdClause) *string {
	return cmd.Flag("output", "How to print: table or json.").Short('o').Default("table").Enum("table", "json")
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// oneLine keeps words that came from outside, such as a comment or an alert's
// name, from breaking tables and from commanding the terminal.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// pauseText is who holds a policy, for how long and why.
func pauseText(p *policy.Pause) string {
	var b strings.Builder
	if p.By != "" {
		b.WriteString("by " + oneLine(p.By) + " ")
	}
	switch {
	case !p.Until.IsZero():
		b.WriteString("until " + instant(p.Until))
	case p.Silence == "":
		b.WriteString("until resumed")
	}
	text := strings.TrimSpace(b.String())
	if comment := oneLine(p.Comment); comment != "" {
		text += ": " + comment
	}
	return text
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
