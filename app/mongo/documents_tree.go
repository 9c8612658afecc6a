package mongo

import (
	"time"

	"github.com/khaosat/khaosat/survey"
)

type typeListsDoc struct {
	ID         string         `bson:"_id"` // there is one document
	Head       head           `bson:",inline"`
	Structures []structureDoc `bson:"structures,omitempty"`
	Sectors    []sectorDoc    `bson:"sectors,omitempty"`
	Rollups    []typeCodeDoc  `bson:"rollups,omitempty"`
	Settings   []typeCodeDoc  `bson:"settings,omitempty"`
	Tags       []typeCodeDoc  `bson:"tags,omitempty"`
}

type typeCodeDoc struct {
	Code  string `bson:"code"`
	Label pairs  `bson:"label,omitempty"`
}

type structureDoc struct {
	Type     typeCodeDoc `bson:",inline"`
	Assessed bool        `bson:"assessed"`
}

type sectorDoc struct {
	Type   typeCodeDoc `bson:",inline"`
	Parent string      `bson:"parent,omitempty"`
	Rollup string      `bson:"rollup,omitempty"`
}

func typeCodeDocOf(c survey.TypeCode) typeCodeDoc {
	return typeCodeDoc{Code: c.Code, Label: pairs(c.Label)}
}

func (d typeCodeDoc) typeCode() survey.TypeCode {
	return survey.TypeCode{Code: d.Code, Label: survey.Text(d.Label)}
}

func typeListsDocOf(l *survey.TypeLists, h head) *typeListsDoc {
	return &typeListsDoc{ID: typeListsID, Head: h,
		Structures: each(l.Structures, func(s survey.Structure) structureDoc {
			return structureDoc{Type: typeCodeDocOf(s.TypeCode), Assessed: s.Assessed}
		}),
		Sectors: each(l.Sectors, func(s survey.Sector) sectorDoc {
			return sectorDoc{Type: typeCodeDocOf(s.TypeCode), Parent: s.Parent, Rollup: s.Rollup}
		}),
		Rollups: each(l.Rollups, typeCodeDocOf), Settings: each(l.Settings, typeCodeDocOf), Tags: each(l.Tags, typeCodeDocOf)}
}

func (d *typeListsDoc) typeLists() *survey.TypeLists {
	return &survey.TypeLists{Rev: d.Head.Rev,
		Structures: each(d.Structures, func(s structureDoc) survey.Structure {
			return survey.Structure{TypeCode: s.Type.typeCode(), Assessed: s.Assessed}
		}),
		Sectors: each(d.Sectors, func(s sectorDoc) survey.Sector {
			return survey.Sector{TypeCode: s.Type.typeCode(), Parent: s.Parent, Rollup: s.Rollup}
		}),
		Rollups: each(d.Rollups, typeCodeDoc.typeCode), Settings: each(d.Settings, typeCodeDoc.typeCode), Tags: each(d.Tags, typeCodeDoc.typeCode)}
}

type unitDoc struct {
	Code survey.UnitCode `bson:"_id"`
	Head head            `bson:",inline"`
	// Pos is the position in the log of units; 0 until one is given.
	Pos    int64      `bson:"pos"`
	Spans  []spanDoc  `bson:"spans,omitempty"`
	Events []eventDoc `bson:"events,omitempty"`
}

type spanDoc struct {
	From         string          `bson:"from,omitempty"`
	Until        string          `bson:"until,omitempty"`
	Name         string          `bson:"name"`
	Parent       survey.UnitCode `bson:"parent,omitempty"`
	Facts        factsDoc        `bson:",inline"`
	ExternalCode string          `bson:"external_code,omitempty"`
}

func unitDocOf(u *survey.Unit, h head) *unitDoc {
	return &unitDoc{Code: u.Code, Head: h, Events: each(u.Events, eventDocOf), Spans: each(u.Spans, func(s survey.Span) spanDoc {
		return spanDoc{From: s.From.String(), Until: s.Until.String(), Name: s.Name, Parent: s.Parent,
			Facts: factsDoc(s.UnitFacts), ExternalCode: s.ExternalCode}
	})}
}

func (d *unitDoc) unit() (*survey.Unit, error) {
	u := &survey.Unit{Code: d.Code, Rev: d.Head.Rev, Events: each(d.Events, eventDoc.event)}
	for _, s := range d.Spans {
		from, err := survey.ParseDate(s.From)
		if err != nil {
			return nil, err
		}
		until, err := survey.ParseDate(s.Until)
		if err != nil {
			return nil, err
		}
		u.Spans = append(u.Spans, survey.Span{From: from, Until: until, Name: s.Name, Parent: s.Parent,
			UnitFacts: survey.UnitFacts(s.Facts), ExternalCode: s.ExternalCode})
	}
	return u, nil
}

type personDoc struct {
	ID           survey.PersonID    `bson:"_id"`
	Head         head               `bson:",inline"`
	Name         string             `bson:"name"`
	FullName     string             `bson:"full_name"`
	Role         survey.AccountRole `bson:"role"`
	Scope        survey.UnitCode    `bson:"scope,omitempty"`
	Home         survey.UnitCode    `bson:"home,omitempty"`
	Language     string             `bson:"language,omitempty"`
	Theme        string             `bson:"theme,omitempty"`
	TextSize     string             `bson:"text_size,omitempty"`
	FormView     string             `bson:"form_view,omitempty"`
	PasswordHash string             `bson:"password_hash,omitempty"`
	Tried        []triedDoc         `bson:"tried,omitempty"`
	Disabled     bool               `bson:"disabled,omitempty"`
	Events       []eventDoc         `bson:"events,omitempty"`
}

func personDocOf(p *survey.Person, h head) *personDoc {
	return &personDoc{ID: p.ID, Head: h, Name: p.Name, FullName: p.FullName, Role: p.Role, Scope: p.Scope, Home: p.Home,
		Language: p.Language, Theme: p.Display.Theme, TextSize: p.Display.Text, FormView: p.Display.Form, PasswordHash: p.PasswordHash,
		Tried: each(p.Tried, func(t survey.Tried) triedDoc { return triedDoc(t) }), Disabled: p.Disabled, Events: each(p.Events, eventDocOf)}
}

func (d *personDoc) person() *survey.Person {
	return &survey.Person{ID: d.ID, Name: d.Name, FullName: d.FullName, Role: d.Role, Scope: d.Scope, Home: d.Home,
		Language: d.Language, Display: survey.Display{Theme: d.Theme, Text: d.TextSize, Form: d.FormView}, PasswordHash: d.PasswordHash,
		Tried: each(d.Tried, triedDoc.tried), Disabled: d.Disabled, Rev: d.Head.Rev, Events: each(d.Events, eventDoc.event)}
}

// triedDoc is a try at a practice case.
type triedDoc struct {
	Round  survey.RoundCode `bson:"round"`
	Number int              `bson:"number"`
	At     time.Time        `bson:"at"`
	Items  int              `bson:"items"`
	Same   int              `bson:"same"`
	Total  string           `bson:"total,omitempty"`
	Right  string           `bson:"right,omitempty"`
	Passed bool             `bson:"passed"`
}

func (d triedDoc) tried() survey.Tried {
	t := survey.Tried(d)
	t.At = t.At.UTC()
	return t
}

type tokenDoc struct {
	Hash     string              `bson:"_id"`
	Head     head                `bson:",inline"`
	Person   survey.PersonID     `bson:"person"`
	Purpose  survey.TokenPurpose `bson:"purpose"`
	Label    string              `bson:"label,omitempty"`
	Created  time.Time           `bson:"created"`
	Expires  *time.Time          `bson:"expires,omitempty"`
	Revoked  *time.Time          `bson:"revoked,omitempty"`
	LastUsed *time.Time          `bson:"last_used,omitempty"`
	Used     *time.Time          `bson:"used,omitempty"`
	UsedBy   string              `bson:"used_by,omitempty"`
	Events   []eventDoc          `bson:"events,omitempty"`
}

func tokenDocOf(t *survey.Token, h head) *tokenDoc {
	return &tokenDoc{Hash: t.Hash, Head: h, Person: t.Person, Purpose: t.Purpose, Label: t.Label, Created: t.Created,
		Expires: timeOrNil(t.Expires), Revoked: timeOrNil(t.Revoked), LastUsed: timeOrNil(t.LastUsed),
		Used: timeOrNil(t.Used), UsedBy: t.UsedBy, Events: each(t.Events, eventDocOf)}
}

func (d *tokenDoc) token() *survey.Token {
	return &survey.Token{Hash: d.Hash, Person: d.Person, Purpose: d.Purpose, Label: d.Label, Created: d.Created,
		Expires: timeOrZero(d.Expires), Revoked: timeOrZero(d.Revoked), LastUsed: timeOrZero(d.LastUsed),
		Used: timeOrZero(d.Used), UsedBy: d.UsedBy, Rev: d.Head.Rev, Events: each(d.Events, eventDoc.event)}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

type roundDoc struct {
	Code        survey.RoundCode   `bson:"_id"`
	Head        head               `bson:",inline"`
	Title       pairs              `bson:"title,omitempty"`
	Templates   []roundTemplateDoc `bson:"templates,omitempty"`
	Scope       scopeDoc           `bson:"scope"`
	Opens       string             `bson:"opens,omitempty"`
	Closes      string             `bson:"closes,omitempty"`
	Closed      bool               `bson:"closed,omitempty"`
	Zone        string             `bson:"zone"`
	Periods     survey.PeriodRule  `bson:"periods"`
	DoubleShare float64            `bson:"double_share,omitempty"`
	ShowScore   bool               `bson:"show_score,omitempty"`
	Unplanned   bool               `bson:"unplanned,omitempty"`
	Seed        int64              `bson:"seed,omitempty"`
	Practice    *practiceDoc       `bson:"practice,omitempty"`
	Events      []eventDoc         `bson:"events,omitempty"`
}

type practiceDoc struct {
	Number   int                 `bson:"number"`
	Template survey.TemplateCode `bson:"template"`
	Version  int                 `bson:"version"`
	Text     string              `bson:"text"`
	Answers  []answerDoc         `bson:"answers,omitempty"`
	Exact    int                 `bson:"exact"`
	Within   int                 `bson:"within"`
	Months   int                 `bson:"months,omitempty"`
}

func practiceDocOf(p *survey.Practice) *practiceDoc {
	if p == nil {
		return nil
	}
	return &practiceDoc{p.Number, p.Template, p.Version, p.Text, each(p.Answers, answerDocOf), p.Exact, p.Within, p.Months}
}

func (d *practiceDoc) practice() *survey.Practice {
	if d == nil {
		return nil
	}
	return &survey.Practice{Number: d.Number, Template: d.Template, Version: d.Version, Text: d.Text, Answers: each(d.Answers, answerDoc.answer), Exact: d.Exact, Within: d.Within, Months: d.Months}
}

type roundTemplateDoc struct {
	Code     survey.TemplateCode `bson:"code"`
	Versions []int               `bson:"versions,omitempty"`
}

type scopeDoc struct {
	Under      []survey.UnitCode `bson:"under,omitempty"`
	Structures []string          `bson:"structures,omitempty"`
	Sectors    []string          `bson:"sectors,omitempty"`
	Settings   []string          `bson:"settings,omitempty"`
	Tags       []string          `bson:"tags,omitempty"`
}

func roundDocOf(r *survey.Round, h head) *roundDoc {
	return &roundDoc{Code: r.Code, Head: h, Title: pairs(r.Title), Scope: scopeDoc(r.Scope), Opens: r.Opens.String(),
		Closes: r.Closes.String(), Closed: r.Closed, Zone: r.Zone, Periods: r.Periods, DoubleShare: r.DoubleShare,
		ShowScore: r.ShowScore, Unplanned: r.Unplanned, Seed: r.Seed, Practice: practiceDocOf(r.Practice),
		Templates: each(r.Templates, func(t survey.RoundTemplate) roundTemplateDoc { return roundTemplateDoc(t) }),
		Events:    each(r.Events, eventDocOf)}
}

func (d *roundDoc) round() (*survey.Round, error) {
	opens, err := survey.ParseDate(d.Opens)
	if err != nil {
		return nil, err
	}
	closes, err := survey.ParseDate(d.Closes)
	return &survey.Round{Code: d.Code, Title: survey.Text(d.Title), Scope: survey.Scope(d.Scope), Opens: opens, Closes: closes,
		Closed: d.Closed, Zone: d.Zone, Periods: d.Periods, DoubleShare: d.DoubleShare, Rev: d.Head.Rev,
		ShowScore: d.ShowScore, Unplanned: d.Unplanned, Seed: d.Seed, Practice: d.Practice.practice(),
		Templates: each(d.Templates, func(t roundTemplateDoc) survey.RoundTemplate { return survey.RoundTemplate(t) }),
		Events:    each(d.Events, eventDoc.event)}, err
}

type assignmentDoc struct {
	ID   survey.AssignmentID `bson:"_id"`
	Head head                `bson:",inline"`
	// Pos is the position in the log of assignments; 0 until one is given.
	Pos int64 `bson:"pos"`
	// Visit is the visit's key as one text.
	Visit     string                  `bson:"visit"`
	Key       visitDoc                `bson:",inline"`
	Observer  survey.PersonID         `bson:"observer"`
	Due       string                  `bson:"due"`
	Status    survey.AssignmentStatus `bson:"status,omitempty"`
	Reason    string                  `bson:"reason,omitempty"`
	Unplanned bool                    `bson:"unplanned,omitempty"`
	InPlaceOf survey.AssignmentID     `bson:"in_place_of,omitempty"`
	Events    []eventDoc              `bson:"events,omitempty"`
}

func assignmentDocOf(a *survey.Assignment, h head) *assignmentDoc {
	return &assignmentDoc{ID: a.ID, Head: h, Visit: a.VisitKey.String(), Key: visitDoc(a.VisitKey), Observer: a.Observer,
		Due: a.Due.String(), Status: a.Status, Reason: a.Reason, Unplanned: a.Unplanned, InPlaceOf: a.InPlaceOf, Events: each(a.Events, eventDocOf)}
}

func (d *assignmentDoc) assignment() (*survey.Assignment, error) {
	due, err := survey.ParseDate(d.Due)
	return &survey.Assignment{ID: d.ID, VisitKey: survey.VisitKey(d.Key), Observer: d.Observer, Due: due, Status: d.Status, Rev: d.Head.Rev,
		Reason: d.Reason, Unplanned: d.Unplanned, InPlaceOf: d.InPlaceOf, Events: each(d.Events, eventDoc.event)}, err
}
