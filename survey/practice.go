package survey

import "time"

// Practice is the practice case of a round: a meeting that is described, and the
// answers that are right. Who is to observe fills in the form about it first.
type Practice struct {
	// Number counts the cases that the round has had: what was passed is one of
	// them. The first is 1.
	Number   int          `json:"number"`
	Template TemplateCode `json:"template"`
	Version  int          `json:"version"`
	// Text describes the meeting, for people.
	Text string `json:"text"`
	// Answers are the right ones.
	Answers Answers `json:"answers"`
	// Exact is the least share of scored items, in percent, on which an observer
	// has to give the same points. Within is by how many points the totals may
	// differ.
	Exact  int `json:"exact"`
	Within int `json:"within"`
	// Months is how long a pass holds; 0: as long as the case.
	Months int `json:"months,omitempty"`
}

// Tried is one try of a person at a practice case.
type Tried struct {
	Round  RoundCode `json:"round"`
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	// Items are how many were compared, Same on how many the points are equal.
	Items int `json:"items"`
	Same  int `json:"same"`
	// Total and Right are the totals as they are shown, "" if not graded.
	Total  string `json:"total,omitempty"`
	Right  string `json:"right,omitempty"`
	Passed bool   `json:"passed"`
}

// MaxTried is how many tries are kept with a person, the newest.
const MaxTried = 50

// Share gives the share of items that are equal, in whole percent rounded down.
func (t *Tried) Share() int {
	if t.Items == 0 {
		return 0
	}
	return 100 * t.Same / t.Items
}

// Passed finds the try with which the person passed the round's practice case as
// it is now, nil if there is none that holds at the time.
func (p *Person) Passed(r *Round, at time.Time) *Tried {
	if r.Practice == nil {
		return nil
	}
	for i := len(p.Tried) - 1; i >= 0; i-- {
		t := &p.Tried[i]
		holds := r.Practice.Months == 0 || at.Before(t.At.AddDate(0, r.Practice.Months, 0))
		if t.Passed && t.Round == r.Code && t.Number == r.Practice.Number && holds {
			return t
		}
	}
	return nil
}

// MustPractise reports whether the person has to pass the round's practice case
// before giving a rating in the role.
func (p *Person) MustPractise(r *Round, role Role, at time.Time) bool {
	return r.Practice != nil && (role == RoleObserver || role == RoleSecond) && p.Passed(r, at) == nil
}
