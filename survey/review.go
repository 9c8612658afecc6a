package survey

import (
	"math/big"
	"time"
)

// Comment is what a reviewer says about a response, for its observer to read.
// Comments stay when the response is sent anew.
type Comment struct {
	// Item is the name of the item it is about, "" for the form as a whole.
	Item string    `json:"item,omitempty"`
	Text string    `json:"text"`
	By   PersonID  `json:"by,omitempty"`
	At   time.Time `json:"at"`
	// SHA256 is that of the content that was looked at.
	SHA256 string `json:"sha256"`
	// Resolved says that the response was approved since.
	Resolved bool `json:"resolved,omitempty"`
}

// Limits of comments.
const (
	MaxComment  = 4000 // bytes of one
	MaxComments = 500  // of one response
)

// disagreement is by how many points two totals may differ before somebody has
// to decide between them.
var disagreement = big.NewRat(10, 1)

// Disagree reports whether two ratings of one meeting are so far apart that an
// adjudicator has to decide: by more than 10 points, in band, or because only
// one of them is graded.
func Disagree(a, b *Receipt) bool {
	if a == nil || b == nil {
		return false
	}
	if a.Band != b.Band || (a.Total == "") != (b.Total == "") {
		return true
	}
	apart, ok := Apart(a, b)
	return ok && apart.Cmp(disagreement) > 0
}

// Apart gives by how many points two totals differ; ok is false unless both are
// graded.
func Apart(a, b *Receipt) (apart *big.Rat, ok bool) {
	x, okA := new(big.Rat).SetString(a.Total)
	y, okB := new(big.Rat).SetString(b.Total)
	if !okA || !okB {
		return nil, false
	}
	return x.Abs(x.Sub(x, y)), true
}
