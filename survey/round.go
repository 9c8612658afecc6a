package survey

import (
	"strings"
	"time"
)

// Role says who a rating comes from. Ratings of different roles never
// overwrite each other.
type Role string

const (
	RoleObserver    Role = "observer"    // the lead observer
	RoleSecond      Role = "second"      // a blind second rating
	RoleSelf        Role = "self"        // the unit's committee or secretary
	RoleMembers     Role = "members"     // the members' vote
	RoleSuperior    Role = "superior"    // the superior committee
	RoleAdjudicator Role = "adjudicator" // decides where lead and second differ
)

// RatingRoles lists the roles in their usual order.
var RatingRoles = []Role{RoleObserver, RoleSecond, RoleSelf, RoleMembers, RoleSuperior, RoleAdjudicator}

// Round is a campaign.
type Round struct {
	Code  RoundCode `json:"code"`
	Title Text      `json:"title"`
	// Templates are the forms in use, the most important first: summaries show
	// the first unless asked otherwise.
	Templates []RoundTemplate `json:"templates"`
	Scope     Scope           `json:"scope"`
	// Opens and Closes are the first and last day on which a meeting may be
	// assessed, in the round's zone.
	Opens  Date `json:"opens"`
	Closes Date `json:"closes"`
	// Closed says that nothing more is taken in, whatever the date.
	Closed bool `json:"closed,omitempty"`
	// Zone is an IANA time zone, e.g. "Asia/Ho_Chi_Minh".
	Zone string `json:"zone"`
	// Periods says how often a unit is assessed.
	Periods PeriodRule `json:"periods"`
	// DoubleShare is the share of visits, 0 to 1, that get a blind second rating.
	DoubleShare float64 `json:"double_share,omitempty"`
	// ShowScore lets observers see the score of what they fill in.
	ShowScore bool `json:"show_score,omitempty"`
	// Unplanned lets observers add visits of units in their own scope.
	Unplanned bool `json:"unplanned,omitempty"`
	// Seed decides by lot where automatic assignment has a choice; the same seed
	// gives the same assignments.
	Seed int64 `json:"seed,omitempty"`
	// Practice is what observers have to pass first; nil if nothing.
	Practice *Practice `json:"practice,omitempty"`
	Rev      int64     `json:"rev"`
	Events   []Event   `json:"events,omitempty"`
}

// RoundTemplate is one template of a round, with the versions that may be used.
type RoundTemplate struct {
	Code     TemplateCode `json:"code"`
	Versions []int        `json:"versions"` // ascending; the last is handed out to new forms
}

// Scope narrows the tree down to the units a round is about; an empty list
// does not narrow. A unit is in scope when its structure is assessed and all
// that is given here holds.
type Scope struct {
	Under      []UnitCode `json:"under,omitempty"`      // it is one of these or lies beneath one
	Structures []string   `json:"structures,omitempty"` // its structure is one of these
	Sectors    []string   `json:"sectors,omitempty"`    // its sector is or rolls up to one of these
	Settings   []string   `json:"settings,omitempty"`
	Tags       []string   `json:"tags,omitempty"` // it carries one of these
}

// PeriodRule says what counts as one visit: a unit is assessed once by each
// role and template in every period.
type PeriodRule string

const (
	// PeriodOnce: once in the whole round. The period of a response is "".
	PeriodOnce PeriodRule = "once"
	// PeriodMonthly: once a calendar month. The period is e.g. "2018-03".
	PeriodMonthly PeriodRule = "month"
)

// Period gives the period that a meeting on the day falls in.
func (r PeriodRule) Period(day Date) string {
	if r == PeriodMonthly {
		return day.Time().Format("2006-01")
	}
	return ""
}

// HasPeriod reports whether assignments of the round may be for the period.
func (r *Round) HasPeriod(period string) bool {
	if r.Periods != PeriodMonthly {
		return period == ""
	}
	month, err := time.Parse("2006-01", period)
	return err == nil && period >= r.Periods.Period(r.Opens) && period == month.Format("2006-01") && period <= r.Periods.Period(r.Closes)
}

// Months lists the periods of the round, one "" when a unit is visited once.
func (r *Round) Months() []string {
	if r.Periods != PeriodMonthly || r.Closes < r.Opens {
		return []string{""}
	}
	var out []string
	last := r.Closes.Time()
	first := r.Opens.Time()
	for at := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, time.UTC); !at.After(last); at = at.AddDate(0, 1, 0) {
		out = append(out, at.Format("2006-01"))
	}
	return out
}

// DefaultZone is the zone of a round that names none.
const DefaultZone = "Asia/Ho_Chi_Minh"

// Location gives the round's time zone, the default zone if the name is unknown.
func (r *Round) Location() *time.Location {
	name := r.Zone
	if name == "" {
		name = DefaultZone
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.FixedZone("+07", 7*3600)
	}
	return loc
}

// Template finds one of the round's templates.
func (r *Round) Template(code TemplateCode) (RoundTemplate, bool) {
	return find(r.Templates, func(t RoundTemplate) bool { return t.Code == code })
}

// Allows reports whether the version of the template may be used in the round.
func (t RoundTemplate) Allows(version int) bool {
	_, ok := find(t.Versions, func(v int) bool { return v == version })
	return ok
}

// Current is the version handed out to new forms; 0 if there is none.
func (t RoundTemplate) Current() int {
	if len(t.Versions) == 0 {
		return 0
	}
	return t.Versions[len(t.Versions)-1]
}

// Contains reports whether the unit as it stands is in scope.
func (s *Scope) Contains(lists *TypeLists, u *Standing) bool {
	if st, ok := lists.Structure(u.Structure); !ok || !st.Assessed {
		return false
	}
	return anyOf(s.Under, u.Under) &&
		anyOf(s.Structures, func(c string) bool { return c == u.Structure }) &&
		anyOf(s.Sectors, func(c string) bool { return lists.SectorUnder(u.Sector, c) }) &&
		anyOf(s.Settings, func(c string) bool { return c == u.Setting }) &&
		anyOf(s.Tags, u.Tagged)
}

// anyOf is true when the list is empty or one of it holds.
func anyOf[T any](list []T, holds func(T) bool) bool {
	if len(list) == 0 {
		return true
	}
	_, ok := find(list, holds)
	return ok
}

// VisitKey identifies a visit: one rating of one unit. At most one response
// that counts is stored for each.
type VisitKey struct {
	Round    RoundCode    `json:"round"`
	Template TemplateCode `json:"template"`
	Unit     UnitCode     `json:"unit"`
	Role     Role         `json:"role"`
	Period   string       `json:"period,omitempty"`
}

// String gives the key as one line without ambiguity; none of its parts can
// contain a '|'.
func (k VisitKey) String() string {
	return string(k.Round) + "|" + string(k.Template) + "|" + string(k.Unit) + "|" + string(k.Role) + "|" + k.Period
}

// ParseVisitKey reads what String wrote; ok is false for anything else.
func ParseVisitKey(s string) (k VisitKey, ok bool) {
	part := func() (p string) {
		p, s, ok = strings.Cut(s, "|")
		return p
	}
	k.Round, k.Template, k.Unit = RoundCode(part()), TemplateCode(part()), UnitCode(part())
	k.Role = Role(part())
	k.Period = s
	return k, ok && !strings.Contains(s, "|")
}
