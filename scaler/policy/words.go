package policy

import (
	"math"
	"strconv"
	"strings"
	"time"
)

func count(n int) string { return strconv.Itoa(n) }

// Quantity prints a number as explanations do.
func Quantity(x float64) string { return quantity(x) }

// quantity prints four significant digits as people write quantities: whole
// numbers whole, and from a million on with a metric prefix.
func quantity(x float64) string {
	if x == 0 {
		return "0" // and not -0
	}
	for _, p := range []struct {
		size   float64
		suffix string
	}{{1e18, "E"}, {1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}} {
		if a := math.Abs(x); a >= p.size && a < 1e21 {
			return strconv.FormatFloat(x/p.size, 'g', 4, 64) + p.suffix
		}
	}
	if a := math.Abs(x); a < 1e6 && (a >= 1000 || x == math.Trunc(x)) {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

func percent(x float64) string {
	return quantity(math.Round(x*1000)/10) + " %"
}

// whole adds what a need is rounded up to, where that makes a difference.
func whole(need, replicas string) string {
	if need == replicas {
		return need
	}
	return need + ", so " + replicas
}

// plural puts the noun after a quantity.
func plural(n, noun string) string {
	if n == "1" {
		return n + " " + noun
	}
	return n + " " + noun + "s"
}

// seconds prints a duration without the zeros that time.Duration adds.
func seconds(s float64) string {
	text := time.Duration(s * float64(time.Second)).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// until is when a hold ends of itself, where that is known.
func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " until " + instant(t)
}
