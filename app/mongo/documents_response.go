package mongo

import (
	"time"

	"github.com/khaosat/khaosat/survey"
)

type responseDoc struct {
	ID   survey.ResponseID `bson:"_id"`
	Head head              `bson:",inline"`
	// Pos is the position in the log of responses; 0 until one is given.
	Pos int64 `bson:"pos"`
	// Visit is the visit's key as one text; left out when none is held.
	Visit           string             `bson:"visit,omitempty"`
	Key             visitDoc           `bson:",inline"`
	TemplateVersion int                `bson:"template_version"`
	Observer        survey.PersonID    `bson:"observer,omitempty"`
	Standing        standingDoc        `bson:"standing"`
	MeetingDate     string             `bson:"meeting_date,omitempty"`
	State           survey.ReviewState `bson:"state"`
	Reasons         []problemDoc       `bson:"reasons,omitempty"`
	Submission      submissionDoc      `bson:"submission"`
	Receipt         *receiptDoc        `bson:"receipt,omitempty"`
	Earlier         []submissionDoc    `bson:"earlier,omitempty"`
	Conflicts       []submissionDoc    `bson:"conflicts,omitempty"`
	Comments        []commentDoc       `bson:"comments,omitempty"`
	Events          []eventDoc         `bson:"events,omitempty"`
	Packed          []byte             `bson:"packed,omitempty"`
	DerivedRev      int64              `bson:"derived_rev,omitempty"`
}

type standingDoc struct {
	Unit  survey.UnitCode   `bson:"unit"`
	Name  string            `bson:"name"`
	Path  []survey.UnitCode `bson:"path,omitempty"`
	Facts factsDoc          `bson:",inline"`
}

type submissionDoc struct {
	Raw        []byte          `bson:"raw,omitempty"`
	SHA256     string          `bson:"sha256"`
	Answers    []answerDoc     `bson:"answers,omitempty"`
	Source     survey.Source   `bson:"source"`
	ReceivedAt time.Time       `bson:"received_at"`
	ReceivedBy survey.PersonID `bson:"received_by,omitempty"`
	StartedAt  *time.Time      `bson:"started_at,omitempty"`
	EndedAt    *time.Time      `bson:"ended_at,omitempty"`
}

type commentDoc struct {
	Item     string          `bson:"item,omitempty"`
	Text     string          `bson:"text"`
	By       survey.PersonID `bson:"by,omitempty"`
	At       time.Time       `bson:"at"`
	SHA256   string          `bson:"sha256"`
	Resolved bool            `bson:"resolved,omitempty"`
}

func commentDocOf(c survey.Comment) commentDoc { return commentDoc(c) }

func (d commentDoc) comment() survey.Comment { return survey.Comment(d) }

type receiptDoc struct {
	Total     string   `bson:"total,omitempty"`
	Available string   `bson:"available"`
	Band      string   `bson:"band,omitempty"`
	BandFirst string   `bson:"band_before_caps,omitempty"`
	Caps      []string `bson:"caps,omitempty"`
	NotGraded string   `bson:"not_graded,omitempty"`
}

// answerDoc is the answer to one item: a number, a text, a list of choices,
// the rows of a repeat, or true or false; none of them if it was left blank.
// Answers are a list and not a document by item, because an item's name may be
// what no field's name can be.
type answerDoc struct {
	Item   string         `bson:"i"`
	Number *float64       `bson:"n,omitempty"`
	Text   *string        `bson:"t,omitempty"`
	List   *[]string      `bson:"l,omitempty"`
	Rows   *[][]answerDoc `bson:"r,omitempty"`
	Bool   *bool          `bson:"b,omitempty"`
}

func responseDocOf(r *survey.Response, h head) *responseDoc {
	return &responseDoc{ID: r.ID, Head: h, Visit: heldVisit(r), Key: visitDoc(r.VisitKey), TemplateVersion: r.TemplateVersion, Observer: r.Observer,
		Standing:    standingDoc{Unit: r.Standing.Unit, Name: r.Standing.Name, Path: r.Standing.Path, Facts: factsDoc(r.Standing.UnitFacts)},
		MeetingDate: r.MeetingDate.String(), State: r.State, Reasons: each(r.Reasons, problemDocOf),
		Submission: submissionDocOf(r.Submission), Receipt: (*receiptDoc)(r.Receipt),
		Earlier: each(r.Earlier, submissionDocOf), Conflicts: each(r.Conflicts, submissionDocOf),
		Comments: each(r.Comments, commentDocOf), Events: each(r.Events, eventDocOf), Packed: r.Packed, DerivedRev: r.DerivedRev}
}

func (d *responseDoc) response() (*survey.Response, error) {
	meeting, err := survey.ParseDate(d.MeetingDate)
	return &survey.Response{ID: d.ID, VisitKey: survey.VisitKey(d.Key), TemplateVersion: d.TemplateVersion, Observer: d.Observer,
		Standing: survey.Standing{Unit: d.Standing.Unit, Name: d.Standing.Name, Path: d.Standing.Path,
			UnitFacts: survey.UnitFacts(d.Standing.Facts)},
		MeetingDate: meeting, State: d.State, Reasons: each(d.Reasons, problemDoc.problem),
		Submission: d.Submission.submission(), Receipt: (*survey.Receipt)(d.Receipt),
		Earlier: each(d.Earlier, submissionDoc.submission), Conflicts: each(d.Conflicts, submissionDoc.submission),
		Comments: each(d.Comments, commentDoc.comment), Events: each(d.Events, eventDoc.event), Packed: d.Packed, DerivedRev: d.DerivedRev, Rev: d.Head.Rev}, err
}

func submissionDocOf(s survey.Submission) submissionDoc {
	return submissionDoc{Raw: s.Raw, SHA256: s.SHA256, Answers: each(s.Answers, answerDocOf), Source: s.Source,
		ReceivedAt: s.ReceivedAt, ReceivedBy: s.ReceivedBy, StartedAt: s.StartedAt, EndedAt: s.EndedAt}
}

func (d submissionDoc) submission() survey.Submission {
	return survey.Submission{Raw: d.Raw, SHA256: d.SHA256, Answers: each(d.Answers, answerDoc.answer), Source: d.Source,
		ReceivedAt: d.ReceivedAt, ReceivedBy: d.ReceivedBy, StartedAt: d.StartedAt, EndedAt: d.EndedAt}
}

func answerDocOf(a survey.Answer) answerDoc {
	d := answerDoc{Item: a.Item}
	switch v := a.Value; v.Kind {
	case survey.ValueNumber:
		d.Number = &v.Number
	case survey.ValueText:
		d.Text = &v.Text
	case survey.ValueList:
		list := append([]string{}, v.List...) // never nil: an empty list is a list
		d.List = &list
	case survey.ValueRows:
		rows := make([][]answerDoc, len(v.Rows))
		for i, row := range v.Rows {
			rows[i] = append([]answerDoc{}, each(row, answerDocOf)...)
		}
		d.Rows = &rows
	case survey.ValueBool:
		yes := v.Number != 0
		d.Bool = &yes
	}
	return d
}

func (d answerDoc) answer() survey.Answer {
	a := survey.Answer{Item: d.Item}
	switch {
	case d.Number != nil:
		a.Value = survey.NumberValue(*d.Number)
	case d.Text != nil:
		a.Value = survey.TextValue(*d.Text)
	case d.List != nil:
		a.Value = survey.ListValue(*d.List...)
	case d.Rows != nil:
		a.Value = survey.RowsValue(each(*d.Rows, func(row []answerDoc) survey.Answers { return each(row, answerDoc.answer) })...)
	case d.Bool != nil:
		a.Value.Kind = survey.ValueBool
		if *d.Bool {
			a.Value.Number = 1
		}
	}
	return a
}

// rowDoc is what summaries read of a response.
type rowDoc struct {
	ID     survey.ResponseID  `bson:"_id"`
	Rev    int64              `bson:"rev"`
	State  survey.ReviewState `bson:"state"`
	Packed []byte             `bson:"packed"`
}
