package survey

import "strconv"

// Template is one version of a form with its scoring scheme. It is data:
// nothing about a particular programme is known to the code. It never changes
// once published.
type Template struct {
	Code    TemplateCode  `json:"code"`
	Version int           `json:"version"` // 1, 2, ...; given when the draft is made
	State   TemplateState `json:"state"`
	// Label is the author's own version text, e.g. "2018-01".
	Label string `json:"label,omitempty"`
	Title Text   `json:"title"`
	// Languages are the tags in which every text must exist, default first.
	Languages []string `json:"languages"`
	// LanguageNames are the names that the author gave to languages, by tag,
	// where they are not those of LanguageName: "French (fr)".
	LanguageNames map[string]string `json:"language_names,omitempty"`
	Items         []Item            `json:"items"`
	Lists         []ChoiceList      `json:"lists,omitempty"`
	Checks        []Check           `json:"checks,omitempty"`
	// Scheme is nil for a plain survey without scores.
	Scheme *Scheme `json:"scheme,omitempty"`
	// InstanceName is an expression that names a response for people.
	InstanceName string `json:"instance_name,omitempty"`
	// Settings are those of the XLSForm standard that only ODK clients heed, by
	// name: style, auto_send, auto_delete, allow_choice_duplicates.
	Settings map[string]string `json:"settings,omitempty"`
	// Cases are answers with what they must come to; publishing runs them.
	Cases  []Case  `json:"cases,omitempty"`
	Rev    int64   `json:"rev"`
	Events []Event `json:"events,omitempty"`
}

// TemplateState is where a version stands.
type TemplateState string

const (
	Draft     TemplateState = "draft"
	Published TemplateState = "published"
	Retired   TemplateState = "retired"
)

// ItemKind is the kind of an item.
type ItemKind string

const (
	KindNote           ItemKind = "note"
	KindText           ItemKind = "text"
	KindInteger        ItemKind = "integer"
	KindDecimal        ItemKind = "decimal"
	KindDate           ItemKind = "date"
	KindTime           ItemKind = "time"
	KindDateTime       ItemKind = "datetime"
	KindSelectOne      ItemKind = "select_one"
	KindSelectMultiple ItemKind = "select_multiple"
	KindRubric         ItemKind = "rubric" // a select_one whose choices are levels with anchors
	KindCalculate      ItemKind = "calculate"
	KindImage          ItemKind = "image"
	KindGeopoint       ItemKind = "geopoint"
	KindGroup          ItemKind = "group"   // a section or a nested group
	KindRepeat         ItemKind = "repeat"  // a group that is filled in any number of times
	KindUnknown        ItemKind = "unknown" // what an import could not make out; never published
)

// ItemKinds lists the kinds a template may use.
var ItemKinds = []ItemKind{KindNote, KindText, KindInteger, KindDecimal, KindDate, KindTime, KindDateTime,
	KindSelectOne, KindSelectMultiple, KindRubric, KindCalculate, KindImage, KindGeopoint, KindGroup, KindRepeat}

// HasItems reports whether items of this kind contain others.
func (k ItemKind) HasItems() bool { return k == KindGroup || k == KindRepeat }

// Chooses reports whether items of this kind take their values from a list.
func (k ItemKind) Chooses() bool {
	return k == KindSelectOne || k == KindSelectMultiple || k == KindRubric
}

// Item is one line of a template. Expressions are in the language of
// survey/expr; "" means there is none.
type Item struct {
	Name string   `json:"name"`
	Kind ItemKind `json:"kind"`
	// Type is the XLSForm type of an item whose kind does not tell it: "barcode"
	// is a text here, "rank" a select_multiple, "deviceid" a calculate. "" is the
	// type that goes by the kind's name.
	Type  string `json:"type,omitempty"`
	Label Text   `json:"label,omitempty"`
	Hint  Text   `json:"hint,omitempty"`
	// Guidance is help for training and paper, beyond the hint.
	Guidance Text `json:"guidance,omitempty"`
	// Media are file names by language, by what they are: image, big-image,
	// audio, video.
	Media map[string]Text `json:"media,omitempty"`
	// List names the choice list of an item that chooses.
	List string `json:"list,omitempty"`
	// Items are the children of a group or repeat.
	Items []Item `json:"items,omitempty"`

	Relevant          string `json:"relevant,omitempty"`
	Required          string `json:"required,omitempty"` // a condition, e.g. "true()"
	RequiredMessage   Text   `json:"required_message,omitempty"`
	Constraint        string `json:"constraint,omitempty"`
	ConstraintMessage Text   `json:"constraint_message,omitempty"`
	Calculation       string `json:"calculation,omitempty"`
	// Default is an expression: the value of an item that was not given.
	Default     string `json:"default,omitempty"`
	Appearance  string `json:"appearance,omitempty"`
	Parameters  string `json:"parameters,omitempty"`
	RepeatCount string `json:"repeat_count,omitempty"`
	ReadOnly    bool   `json:"read_only,omitempty"`
	// ChoiceFilter is a condition over the columns of the list's choices, which
	// stand in it as bare names: "province = ${province}". ODK clients show the
	// choices that meet it.
	ChoiceFilter string `json:"choice_filter,omitempty"`
	// Trigger is a reference; ODK clients work out the calculation anew when the
	// item's value changes.
	Trigger string `json:"trigger,omitempty"`

	// Points is the most an item can earn; of a group, what its items must add
	// up to. Nil: not scored.
	Points *Points `json:"points,omitempty"`
	// Steps turn the item's own value (".") into points; first true wins.
	Steps []Step `json:"steps,omitempty"`
	// NA says what happens to the points of an item that is not applicable or
	// was not asked; "" takes the scheme's.
	NA NAPolicy `json:"na,omitempty"`
	// Reverse: the item earns its maximum less the points found.
	Reverse bool `json:"reverse,omitempty"`
	// Bonus: what is earned is added (or, negative, taken away) without adding
	// to the points available.
	Bonus bool `json:"bonus,omitempty"`
	// Applies is an expression over the unit: unit('sector'), unit('structure'),
	// unit('setting'), tagged('CPH'), under('09'). Items that do not apply are
	// no part of the form for that unit.
	Applies string `json:"applies,omitempty"`
	// Evidence is a condition under which a note must go with the answer. The
	// note is a text item of its own, named by NoteName.
	Evidence string `json:"evidence,omitempty"`
	// Role makes a repeat a list of findings (strength, shortcoming,
	// recommendation) or says what a child of one holds (tags, text, ...).
	Role ItemRole `json:"role,omitempty"`
	// TagsList names the list from which findings are tagged.
	TagsList string `json:"tags_list,omitempty"`

	// Was is the name that the item had in the version before, if it was another.
	Was string `json:"was,omitempty"`

	// Row is the 1-based row of the survey sheet the item was read from; 0 if none.
	Row int `json:"-"`
}

// Metadata reports whether the item is one that a client fills in by itself,
// as start, today or deviceid.
func (it *Item) Metadata() bool {
	_, known := MetadataTypes[it.Type]
	return known && it.Kind == KindCalculate
}

// MetadataTypes are the XLSForm types that a client fills in by itself, each
// with the calculation that stands in for a client that does not.
var MetadataTypes = map[string]string{
	"start": "once(now())", "end": "now()", "today": "today()",
	"deviceid": "''", "username": "''", "email": "''", "phonenumber": "''", "simserial": "''", "subscriberid": "''", "imei": "''",
	"audit": "''", "start-geopoint": "''", "background-audio": "''", "background-geopoint": "''",
}

// NoteName is the name of the text item that holds an item's evidence note.
func NoteName(item string) string { return item + "_note" }

// ItemRole is the part an item plays in findings.
type ItemRole string

const (
	RoleStrength       ItemRole = "strength"
	RoleShortcoming    ItemRole = "shortcoming"
	RoleRecommendation ItemRole = "recommendation"
	RoleTags           ItemRole = "tags"
	RoleText           ItemRole = "text"
	RoleCause          ItemRole = "cause"
	RoleShare          ItemRole = "share"
	RoleOwner          ItemRole = "owner"
	RoleDue            ItemRole = "due"
)

// Finding reports whether the role is that of a list of findings.
func (r ItemRole) Finding() bool {
	return r == RoleStrength || r == RoleShortcoming || r == RoleRecommendation
}

// ChoiceList is the options of items that choose.
type ChoiceList struct {
	Name    string   `json:"name"`
	Choices []Choice `json:"choices"`
}

// Choice is one option.
type Choice struct {
	Name  string `json:"name"`
	Label Text   `json:"label"`
	// Points is what choosing it earns; nil if the list is not for scoring.
	Points *Points `json:"points,omitempty"`
	// Means marks a choice that stands for "not applicable" or "not observed".
	Means Meaning `json:"means,omitempty"`
	// Anchor describes a rubric level: what is seen or heard at this level.
	Anchor Text `json:"anchor,omitempty"`
	// Media are as in Item.
	Media map[string]Text `json:"media,omitempty"`
	// Columns are the author's own columns, for choice filters.
	Columns map[string]string `json:"columns,omitempty"`
	Row     int               `json:"-"`
}

// Meaning is what a choice says beyond itself.
type Meaning string

const (
	MeansNA          Meaning = "na"
	MeansNotObserved Meaning = "not_observed"
)

// Choice finds a choice by name.
func (l *ChoiceList) Choice(name string) (int, *Choice) {
	for i := range l.Choices {
		if l.Choices[i].Name == name {
			return i, &l.Choices[i]
		}
	}
	return -1, nil
}

// List finds a choice list by name, nil if there is none.
func (t *Template) List(name string) *ChoiceList {
	for i := range t.Lists {
		if t.Lists[i].Name == name {
			return &t.Lists[i]
		}
	}
	return nil
}

// Check is a rule over the whole form that must hold when it is submitted.
type Check struct {
	Code string `json:"code"`
	Test string `json:"test"` // must be true
	// Item is the name of the item beside which the message is shown.
	Item  string `json:"item,omitempty"`
	Label Text   `json:"label"`
	Row   int    `json:"-"`
}

// Case is a set of answers with the score that they must come to: the author's
// own test of the template.
type Case struct {
	Name string `json:"name"`
	// Answers are as a response has them; Unit is who is assessed.
	Answers Answers   `json:"answers"`
	Unit    UnitFacts `json:"unit"`
	// Total is the score as shown, e.g. "75.50"; "" when it must not be graded.
	Total string `json:"total"`
	// Band is the band after caps, "" for none; Caps are those that must fire,
	// in the scheme's order.
	Band string   `json:"band,omitempty"`
	Caps []string `json:"caps,omitempty"`
}

// Scheme is how a template is scored.
type Scheme struct {
	Total    Points      `json:"total"`
	NA       NAPolicy    `json:"na_policy"`
	Rescale  RescaleMode `json:"rescale"`
	Blank    BlankPolicy `json:"blank,omitempty"`
	Decimals int         `json:"decimals"`
	// MinAvailable is the percentage of the points that must be available for
	// a response to be graded at all.
	MinAvailable float64 `json:"min_available"`
	// Graded says whether bands are given.
	Graded bool `json:"graded"`
	// Bands are in descending order of Min.
	Bands []Band `json:"bands,omitempty"`
	Caps  []Cap  `json:"caps,omitempty"`
	// Applies is an expression over the unit; "" means every unit.
	Applies string `json:"applies,omitempty"`
	// Roles may rate with this template; empty means any.
	Roles []Role `json:"roles,omitempty"`
}

// NAPolicy says what a not applicable item does to the points.
type NAPolicy string

const (
	// NARescale: the item leaves the points available.
	NARescale NAPolicy = "rescale"
	// NAFull: the item counts as fully earned.
	NAFull NAPolicy = "full"
	// NAZero: the item counts as available and earns nothing.
	NAZero NAPolicy = "zero"
)

// RescaleMode says how points that are not available are made up for.
type RescaleMode string

const (
	// RescaleOverall: total x earned / available.
	RescaleOverall RescaleMode = "overall"
	// RescaleSection: within each section first, then across sections weighted
	// by their points.
	RescaleSection RescaleMode = "section"
)

// BlankPolicy says what a scored item that was left blank does.
type BlankPolicy string

const (
	// BlankNotGraded: the response is incomplete and not graded.
	BlankNotGraded BlankPolicy = ""
	// BlankZero: the item earns nothing.
	BlankZero BlankPolicy = "zero"
)

// Band is a grade: the highest whose Min the score, as shown, reaches.
type Band struct {
	Code  string `json:"code"`
	Min   Points `json:"min"`
	Label Text   `json:"label"`
	Color string `json:"color,omitempty"` // #rrggbb
	Row   int    `json:"-"`
}

// Cap limits the band. When is an expression that may also use points('B2'),
// max_points('B2'), share('A') and available().
type Cap struct {
	Code  string `json:"code"`
	When  string `json:"when"`
	Band  string `json:"band"` // the highest band still allowed
	Label Text   `json:"label,omitempty"`
	Row   int    `json:"-"`
}

// Band finds a band's index (0 is the highest); -1 if there is none.
func (s *Scheme) Band(code string) int {
	for i := range s.Bands {
		if s.Bands[i].Code == code {
			return i
		}
	}
	return -1
}

// Allows reports whether the role may rate with the scheme.
func (s *Scheme) Allows(role Role) bool {
	return anyOf(s.Roles, func(r Role) bool { return r == role })
}

// Step is one line of a stepped item: when the condition is true, the points
// are what the second expression says, usually a number.
type Step struct {
	When   string `json:"when"`
	Points string `json:"points"`
}

// Points are hundredths of a point, so that 3.5 points are exact.
type Points int64

// ParsePoints reads a decimal with at most two decimals, e.g. "3.5" or "-2".
func ParsePoints(s string) (Points, bool) {
	neg := false
	rest := s
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		neg = rest[0] == '-'
		rest = rest[1:]
	}
	if rest == "" || len(rest) > 12 {
		return 0, false
	}
	var p Points
	seenDot, decimals, digits := false, 0, 0
	for _, c := range rest {
		switch {
		case c >= '0' && c <= '9':
			digits++
			if seenDot {
				decimals++
			}
			if decimals > 2 {
				if c != '0' {
					return 0, false
				}
				continue
			}
			p = p*10 + Points(c-'0')
		case c == '.' && !seenDot:
			seenDot = true
		default:
			return 0, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	for ; decimals < 2; decimals++ {
		p *= 10
	}
	if neg {
		p = -p
	}
	return p, true
}

// Float gives the points as a floating-point number.
func (p Points) Float() float64 { return float64(p) / 100 }

// String gives the shortest decimal: "3.5", "4", "-0.25".
func (p Points) String() string {
	sign := ""
	if p < 0 {
		sign, p = "-", -p
	}
	s := sign + strconv.FormatInt(int64(p/100), 10)
	switch r := p % 100; {
	case r == 0:
		return s
	case r%10 == 0:
		return s + "." + strconv.FormatInt(int64(r/10), 10)
	case r < 10:
		return s + ".0" + strconv.FormatInt(int64(r), 10)
	default:
		return s + "." + strconv.FormatInt(int64(r), 10)
	}
}

// MarshalJSON writes a JSON number.
func (p Points) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalJSON reads a JSON number with at most two decimals.
func (p *Points) UnmarshalJSON(b []byte) error {
	v, ok := ParsePoints(string(b))
	if !ok {
		return &Error{Kind: Invalid, Code: "points.shape", Args: Args{"value": string(b)}}
	}
	*p = v
	return nil
}

// Walk visits every item in order, parents before children, and tells the path
// of groups that leads to it. It stops when visit returns false.
func (t *Template) Walk(visit func(item *Item, parents []*Item) bool) {
	var walk func(items []Item, parents []*Item) bool
	walk = func(items []Item, parents []*Item) bool {
		for i := range items {
			if !visit(&items[i], parents) || !walk(items[i].Items, append(parents[:len(parents):len(parents)], &items[i])) {
				return false
			}
		}
		return true
	}
	walk(t.Items, nil)
}

// Item finds an item by name, nil if there is none.
func (t *Template) Item(name string) *Item {
	var found *Item
	t.Walk(func(it *Item, _ []*Item) bool {
		if it.Name == name {
			found = it
		}
		return found == nil
	})
	return found
}
