package command

import (
	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// exitCodes are those that mean something: of sysexits.h where it has one, and
// two after its last. Every other is temporary.
var exitCodes = map[int]program.Exit{
	64:  {Kind: target.KindPermanent, Meaning: "it does not take these arguments"},
	66:  {Kind: target.KindNotFound, Meaning: "what is to be scaled is not there"},
	69:  {Kind: target.KindQuota, Meaning: "there is no room"},
	75:  {Kind: target.KindTemporary, Meaning: "it may work later"},
	77:  {Kind: target.KindUnauthorized, Meaning: "it is not allowed to"},
	78:  {Kind: target.KindPermanent, Meaning: "its configuration is wrong"},
	79:  {Kind: target.KindConflict, Meaning: "someone else has changed it meanwhile"},
	80:  {Kind: target.KindThrottled, Meaning: "it was asked too often"},
	126: {Kind: target.KindPermanent, Meaning: "a program in it may not be executed"},
	127: {Kind: target.KindPermanent, Meaning: "a program in it is not there"},
}

func exitMeaning(code int) program.Exit {
	if known, ok := exitCodes[code]; ok {
		return known
	}
	return program.Exit{Kind: target.KindTemporary}
}
