package survey

// Unit is a node of the organisation tree. What may change over the years
// (name, parent, type, size) is kept as spans, so that a response can keep the
// path and type the unit had on the day of the meeting.
type Unit struct {
	Code  UnitCode `json:"code"`
	Spans []Span   `json:"spans"`
	// Rev counts writes; the store sets it and compares it (0: not stored yet).
	Rev    int64   `json:"rev"`
	Events []Event `json:"events,omitempty"`
}

// Span is what holds for a unit from a day on, until the next span begins or
// until its own last day. Spans are in order of From and do not overlap.
type Span struct {
	// From is the first day; the zero Date means "since ever".
	From Date `json:"from,omitempty"`
	// Until is the last day; the zero Date means "until the next span".
	Until  Date     `json:"until,omitempty"`
	Name   string   `json:"name"`
	Parent UnitCode `json:"parent,omitempty"` // "" for a root
	UnitFacts
	// ExternalCode is the unit's code in somebody else's register.
	ExternalCode string `json:"external_code,omitempty"`
}

// UnitFacts are a unit's place on the three axes, its tags and its size.
type UnitFacts struct {
	Structure string   `json:"structure,omitempty"`
	Sector    string   `json:"sector,omitempty"`
	Setting   string   `json:"setting,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Members   int      `json:"members,omitempty"`
}

// Tagged reports whether the unit carries the tag.
func (f *UnitFacts) Tagged(tag string) bool {
	for _, t := range f.Tags {
		if t == tag {
			return true
		}
	}
	return false
}

// On gives the span that holds on the day, or nil when the unit does not exist
// then. The zero Date asks for the latest span.
func (u *Unit) On(day Date) *Span {
	if len(u.Spans) == 0 {
		return nil
	}
	if day == 0 {
		return &u.Spans[len(u.Spans)-1]
	}
	var found *Span
	for i := range u.Spans {
		if u.Spans[i].From <= day {
			found = &u.Spans[i]
		}
	}
	if found == nil || (found.Until != 0 && found.Until < day) {
		return nil
	}
	return found
}

// Standing is a unit as of one day: its own facts and the path from the root
// down to and including itself.
type Standing struct {
	Unit UnitCode   `json:"unit"`
	Name string     `json:"name"`
	Path []UnitCode `json:"path"`
	UnitFacts
}

// Under reports whether the unit is the given one or lies beneath it.
func (s *Standing) Under(unit UnitCode) bool {
	for _, u := range s.Path {
		if u == unit {
			return true
		}
	}
	return false
}

// Tree is the organisation tree in memory. It is read-only once built and safe
// for concurrent use.
type Tree struct {
	units map[UnitCode]*Unit
	order []*Unit
}

// NewTree builds a tree of the units, kept in the order given; a later unit
// with the same code replaces an earlier one.
func NewTree(units []*Unit) *Tree {
	t := &Tree{units: make(map[UnitCode]*Unit, len(units)), order: make([]*Unit, 0, len(units))}
	at := make(map[UnitCode]int, len(units))
	for _, u := range units {
		if i, ok := at[u.Code]; ok {
			t.order[i] = u
		} else {
			at[u.Code] = len(t.order)
			t.order = append(t.order, u)
		}
		t.units[u.Code] = u
	}
	return t
}

// Len is the number of units.
func (t *Tree) Len() int { return len(t.order) }

// Unit gives a unit, nil if there is none.
func (t *Tree) Unit(code UnitCode) *Unit { return t.units[code] }

// Units gives all units in the tree's order. The slice must not be changed.
func (t *Tree) Units() []*Unit { return t.order }

// Standing gives the unit as of the day, with its path. NotFound when there is
// no such unit on that day; Invalid when its parents go in a circle or one of
// them does not exist on that day.
func (t *Tree) Standing(code UnitCode, day Date) (*Standing, error) {
	u := t.units[code]
	if u == nil {
		return nil, &Error{Kind: NotFound, Code: "unit.unknown", Args: Args{"unit": string(code)}}
	}
	span := u.On(day)
	if span == nil {
		return nil, &Error{Kind: NotFound, Code: "unit.not_then", Args: Args{"unit": string(code), "date": day.String()}}
	}
	path, err := t.path(code, day)
	if err != nil {
		return nil, err
	}
	return &Standing{Unit: code, Name: span.Name, Path: path, UnitFacts: span.UnitFacts}, nil
}

// maxDepth bounds the walk to the root; organisation trees are 3 to 6 deep.
const maxDepth = 32

func (t *Tree) path(code UnitCode, day Date) ([]UnitCode, error) {
	var up [maxDepth]UnitCode
	n := 0
	for at := code; at != ""; n++ {
		if n == maxDepth {
			return nil, &Error{Kind: Invalid, Code: "unit.cycle", Args: Args{"unit": string(code)}}
		}
		u := t.units[at]
		if u == nil {
			return nil, &Error{Kind: Invalid, Code: "unit.parent_unknown", Args: Args{"unit": string(code), "parent": string(at)}}
		}
		span := u.On(day)
		if span == nil {
			return nil, &Error{Kind: Invalid, Code: "unit.parent_not_then", Args: Args{"unit": string(code), "parent": string(at), "date": day.String()}}
		}
		up[n] = at
		at = span.Parent
	}
	path := make([]UnitCode, n)
	for i := range n {
		path[i] = up[n-1-i]
	}
	return path, nil
}

// Check finds everything wrong with the units against each other and against
// the lists: spans out of order or overlapping, unknown parents, circles, codes
// that are on no list.
func (t *Tree) Check(lists *TypeLists) Problems {
	var ps Problems
	report := func(u *Unit, code string, args Args) {
		ps = append(ps, Problem{Severity: SeverityError, Code: code, Args: args, Place: Place{Item: string(u.Code)}})
	}
	for _, u := range t.order {
		if !ValidCode(string(u.Code)) {
			report(u, "unit.code", Args{"unit": string(u.Code)})
		}
		if len(u.Spans) == 0 {
			report(u, "unit.no_span", Args{"unit": string(u.Code)})
		}
		for i, s := range u.Spans {
			if s.Name == "" {
				report(u, "unit.no_name", Args{"unit": string(u.Code)})
			}
			if i > 0 {
				before := u.Spans[i-1]
				if s.From <= before.From || (before.Until != 0 && s.From <= before.Until) {
					report(u, "unit.spans", Args{"unit": string(u.Code), "date": s.From.String()})
				}
			}
			if s.Until != 0 && s.Until < s.From {
				report(u, "unit.spans", Args{"unit": string(u.Code), "date": s.Until.String()})
			}
			t.checkAxes(lists, s.UnitFacts, func(axis, value string) {
				report(u, "unit.not_listed", Args{"unit": string(u.Code), "axis": axis, "value": value})
			})
			if _, err := t.path(u.Code, s.From); err != nil {
				report(u, CodeOf(err), err.(*Error).Args)
			}
		}
	}
	return ps
}

func (t *Tree) checkAxes(lists *TypeLists, f UnitFacts, report func(axis, value string)) {
	if _, ok := lists.Structure(f.Structure); !ok {
		report("structure", f.Structure)
	}
	// Sector and setting describe where a chapter sits; committees may lack them.
	if _, ok := lists.Sector(f.Sector); !ok && f.Sector != "" {
		report("sector", f.Sector)
	}
	if _, ok := lists.Setting(f.Setting); !ok && f.Setting != "" {
		report("setting", f.Setting)
	}
	for _, tag := range f.Tags {
		if _, ok := lists.Tag(tag); !ok {
			report("tag", tag)
		}
	}
}
