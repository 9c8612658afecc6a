package survey

import "github.com/khaosat/khaosat/survey/expr"

// ClientForm is a form as data for a client that fills it in without the
// server: everything that Fill, Validate and scoring know, with the names in
// expressions resolved. Slots are indexes into Items. Expressions are trees
// (expr.Program.MarshalJSON).
type ClientForm struct {
	Code      TemplateCode `json:"code"`
	Version   int          `json:"version"`
	Title     Text         `json:"title"`
	Languages []string     `json:"languages"`
	// Items are in template order, by slot; a group comes before what is in it.
	Items []ClientItem `json:"items"`
	Lists []ClientList `json:"lists"`
	// Order is an order of slots in which each comes after what its relevance,
	// its calculation and its default are worked out from.
	Order  []int         `json:"order"`
	Checks []ClientCheck `json:"checks,omitempty"`
	// Scheme is nil when the form is not scored or scores were not asked for;
	// items and choices then have no points either.
	Scheme *ClientScheme `json:"scheme,omitempty"`
}

// ClientItem is one node of the form: an item of the template, or the evidence
// note that goes with one.
type ClientItem struct {
	Name string   `json:"name"`
	Kind ItemKind `json:"kind"`
	// Type is the item's type where the kind does not tell it; Fills says that
	// the client fills it in by itself.
	Type  string `json:"type,omitempty"`
	Fills bool   `json:"fills,omitempty"`
	// In is the slot of the group or repeat around, nil at the top.
	In *int `json:"in,omitempty"`
	// Of is the slot of the item to which this one is the evidence note.
	Of       *int `json:"of,omitempty"`
	Label    Text `json:"label,omitempty"`
	Hint     Text `json:"hint,omitempty"`
	Guidance Text `json:"guidance,omitempty"`
	// List is the index of the choice list, nil if the item does not choose.
	List *int `json:"list,omitempty"`
	// Filter is a condition over a choice, column('…') its columns: those that
	// meet it are offered.
	Filter     *expr.Program `json:"filter,omitempty"`
	Appearance string        `json:"appearance,omitempty"`
	Parameters string        `json:"parameters,omitempty"`
	ReadOnly   bool          `json:"read_only,omitempty"`
	Role       ItemRole      `json:"role,omitempty"`

	Applies     *expr.Program `json:"applies,omitempty"`
	Relevant    *expr.Program `json:"relevant,omitempty"`
	Calculation *expr.Program `json:"calculation,omitempty"`
	Default     *expr.Program `json:"default,omitempty"`
	// Required is a condition; Always says that there is no need to ask it.
	Required          *expr.Program `json:"required,omitempty"`
	Always            bool          `json:"always,omitempty"`
	RequiredMessage   Text          `json:"required_message,omitempty"`
	Constraint        *expr.Program `json:"constraint,omitempty"`
	ConstraintMessage Text          `json:"constraint_message,omitempty"`
	// Rule is the constraint as it was written, when there is no message.
	Rule string `json:"rule,omitempty"`
	// Evidence, of a note, is the condition under which it is required; "." in
	// it is the value of the item it goes with.
	Evidence *expr.Program `json:"evidence,omitempty"`

	// Points and what turns answers into points, in hundredths.
	Points  *int64       `json:"points,omitempty"`
	Steps   []ClientStep `json:"steps,omitempty"`
	NA      NAPolicy     `json:"na,omitempty"`
	Reverse bool         `json:"reverse,omitempty"`
	Bonus   bool         `json:"bonus,omitempty"`
}

// ClientStep is a step: its points are fixed, in hundredths, or worked out.
type ClientStep struct {
	When   *expr.Program `json:"when"`
	Points *expr.Program `json:"points,omitempty"`
	Value  int64         `json:"value"`
}

// ClientList is a choice list.
type ClientList struct {
	Name    string         `json:"name"`
	Choices []ClientChoice `json:"choices"`
}

// ClientChoice is one choice; Points are hundredths.
type ClientChoice struct {
	Name   string  `json:"name"`
	Label  Text    `json:"label"`
	Points *int64  `json:"points,omitempty"`
	Means  Meaning `json:"means,omitempty"`
	Anchor Text    `json:"anchor,omitempty"`
	// Columns are the author's own, where a filter may ask for them.
	Columns map[string]string `json:"columns,omitempty"`
}

// ClientCheck is a rule over the whole form. Slot is where it is told about,
// nil for the form as a whole.
type ClientCheck struct {
	Code  string        `json:"code"`
	Test  *expr.Program `json:"test"`
	Slot  *int          `json:"slot,omitempty"`
	Label Text          `json:"label"`
}

// ClientScheme is the scoring scheme; points are hundredths.
type ClientScheme struct {
	Total        int64           `json:"total"`
	NA           NAPolicy        `json:"na_policy"`
	Rescale      RescaleMode     `json:"rescale"`
	Blank        BlankPolicy     `json:"blank,omitempty"`
	Decimals     int             `json:"decimals"`
	MinAvailable float64         `json:"min_available"`
	Graded       bool            `json:"graded"`
	Bands        []ClientBand    `json:"bands,omitempty"`
	Caps         []ClientCap     `json:"caps,omitempty"`
	Scored       []int           `json:"scored"`
	Sections     []ClientSection `json:"sections"`
}

// ClientBand is a band, the highest first.
type ClientBand struct {
	Code  string `json:"code"`
	Min   int64  `json:"min"`
	Label Text   `json:"label"`
	Color string `json:"color,omitempty"`
}

// ClientCap is a cap; Band is the index of the highest band still allowed.
type ClientCap struct {
	Code  string        `json:"code"`
	When  *expr.Program `json:"when"`
	Band  int           `json:"band"`
	Label Text          `json:"label,omitempty"`
}

// ClientSection is a section that holds scored items.
type ClientSection struct {
	Slot   int   `json:"slot"`
	Scored []int `json:"scored"`
}

// Client gives the form as data, with its points and scheme or without.
func (f *Form) Client(scored bool) *ClientForm {
	t := f.Template
	out := &ClientForm{Code: t.Code, Version: t.Version, Title: t.Title, Languages: t.Languages, Lists: []ClientList{}, Order: f.order}
	lists := map[*ChoiceList]int{}
	for i := range f.nodes {
		out.Items = append(out.Items, f.clientItem(&f.nodes[i], scored))
		list := f.nodes[i].list
		if list == nil {
			continue
		}
		at, known := lists[list]
		if !known {
			at = len(out.Lists)
			lists[list] = at
			out.Lists = append(out.Lists, clientList(list, scored))
		}
		out.Items[i].List = &at
	}
	for _, k := range f.checks {
		out.Checks = append(out.Checks, ClientCheck{k.check.Code, k.test, slotPointer(k.slot), k.check.Label})
	}
	if scored && t.Scheme != nil {
		out.Scheme = f.clientScheme()
	}
	return out
}

func slotPointer(slot int) *int {
	if slot < 0 {
		return nil
	}
	return &slot
}

func (f *Form) clientItem(n *node, scored bool) ClientItem {
	it := n.item
	if n.note >= 0 {
		return ClientItem{Name: n.name, Kind: n.kind, In: slotPointer(n.parent), Of: slotPointer(n.note), Evidence: n.evidence}
	}
	out := ClientItem{Name: n.name, Kind: n.kind, Type: it.Type, Fills: it.Metadata(), In: slotPointer(n.parent), Label: it.Label, Hint: it.Hint, Guidance: it.Guidance,
		Appearance: it.Appearance, Parameters: it.Parameters, ReadOnly: it.ReadOnly, Role: it.Role,
		Applies: n.applies, Relevant: n.relevant, Calculation: n.calculation, Default: n.initial,
		Filter: n.filter, Required: n.required, Always: n.requireAlways, RequiredMessage: it.RequiredMessage,
		Constraint: n.constraint, ConstraintMessage: it.ConstraintMessage}
	if it.ConstraintMessage.IsZero() {
		out.Rule = it.Constraint
	}
	if scored && it.Points != nil {
		out.Points, out.NA, out.Reverse, out.Bonus = hundredths(it.Points), it.NA, it.Reverse, it.Bonus
		for _, s := range n.steps {
			out.Steps = append(out.Steps, ClientStep{s.When, s.Points, int64(s.Value)})
		}
	}
	return out
}

func hundredths(p *Points) *int64 {
	if p == nil {
		return nil
	}
	n := int64(*p)
	return &n
}

func clientList(l *ChoiceList, scored bool) ClientList {
	out := ClientList{Name: l.Name}
	for i := range l.Choices {
		c := &l.Choices[i]
		choice := ClientChoice{Name: c.Name, Label: c.Label, Means: c.Means, Anchor: c.Anchor, Columns: c.Columns}
		if scored {
			choice.Points = hundredths(c.Points)
		}
		out.Choices = append(out.Choices, choice)
	}
	return out
}

func (f *Form) clientScheme() *ClientScheme {
	s := f.Template.Scheme
	out := &ClientScheme{Total: int64(s.Total), NA: s.NA, Rescale: s.Rescale, Blank: s.Blank, Decimals: s.Decimals,
		MinAvailable: s.MinAvailable, Graded: s.Graded, Scored: f.scored, Sections: []ClientSection{}}
	for _, b := range s.Bands {
		out.Bands = append(out.Bands, ClientBand{b.Code, int64(b.Min), b.Label, b.Color})
	}
	for i, k := range s.Caps {
		out.Caps = append(out.Caps, ClientCap{k.Code, f.caps[i], s.Band(k.Band), k.Label})
	}
	for i := range f.sections {
		out.Sections = append(out.Sections, ClientSection{f.sections[i].Slot, f.sections[i].Scored})
	}
	return out
}
