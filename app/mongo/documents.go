package mongo

import (
	"math"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/khaosat/khaosat/survey"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/bsontype"
	"go.mongodb.org/mongo-driver/x/bsonx/bsoncore"
)

// The structs in documents*.go are what the collections hold. They are written
// by hand and apart from the domain's types, so that neither changes because
// the other does, and for people who read the database without khaosat: times
// are dates in UTC, days are texts YYYY-MM-DD, points are numbers (3.5), and
// what is empty is left out.

// pairs are texts by key: a Text by language, or Args by name. In the database
// they are a document in the order of the keys; what a field's name cannot
// hold there is written %XX, and an empty key is "%".
type pairs map[string]string

// MarshalBSONValue implements bson.ValueMarshaler.
func (p pairs) MarshalBSONValue() (bsontype.Type, []byte, error) {
	keys := make([]string, 0, len(p))
	for k := range p {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	at, doc := bsoncore.AppendDocumentStart(nil)
	for _, k := range keys {
		doc = bsoncore.AppendStringElement(doc, escapeKey(k), p[k])
	}
	doc, err := bsoncore.AppendDocumentEnd(doc, at)
	return bson.TypeEmbeddedDocument, doc, err
}

// UnmarshalBSONValue implements bson.ValueUnmarshaler.
func (p *pairs) UnmarshalBSONValue(_ bsontype.Type, doc []byte) error {
	elements, err := bson.Raw(doc).Elements()
	if err != nil {
		return err
	}
	*p = make(pairs, len(elements))
	for _, e := range elements {
		key, err := unescapeKey(e.Key())
		if err != nil {
			return err
		}
		(*p)[key] = e.Value().StringValue()
	}
	return nil
}

var keyEscaper = strings.NewReplacer("%", "%25", ".", "%2E", "$", "%24", "\x00", "%00")

func escapeKey(k string) string {
	if k == "" {
		return "%"
	}
	return keyEscaper.Replace(k)
}

func unescapeKey(k string) (string, error) {
	if k == "%" {
		return "", nil
	}
	return url.PathUnescape(k)
}

// each gives f of each of a list, nil for an empty one.
func each[A, B any](list []A, f func(A) B) []B {
	if len(list) == 0 {
		return nil
	}
	out := make([]B, len(list))
	for i := range list {
		out[i] = f(list[i])
	}
	return out
}

// points gives points as the number people know, exactly up to 2^50 points.
func points(p survey.Points) float64 { return p.Float() }

func toPoints(f float64) survey.Points { return survey.Points(math.Round(f * 100)) }

func pointsOrNil(p *survey.Points) *float64 {
	if p == nil {
		return nil
	}
	f := points(*p)
	return &f
}

func toPointsOrNil(f *float64) *survey.Points {
	if f == nil {
		return nil
	}
	p := toPoints(*f)
	return &p
}

type eventDoc struct {
	At     time.Time       `bson:"at"`
	By     survey.PersonID `bson:"by,omitempty"`
	Action string          `bson:"action"`
	Detail pairs           `bson:"detail,omitempty"`
}

func eventDocOf(e survey.Event) eventDoc {
	return eventDoc{At: e.At, By: e.By, Action: e.Action, Detail: pairs(e.Detail)}
}

func (d eventDoc) event() survey.Event {
	return survey.Event{At: d.At, By: d.By, Action: d.Action, Detail: survey.Args(d.Detail)}
}

type problemDoc struct {
	Severity   survey.Severity `bson:"severity"`
	Code       string          `bson:"code"`
	Place      placeDoc        `bson:"place"`
	Value      string          `bson:"value,omitempty"`
	Args       pairs           `bson:"args,omitempty"`
	Suggestion string          `bson:"suggestion,omitempty"`
	Text       pairs           `bson:"text,omitempty"`
}

type placeDoc struct {
	Pointer string `bson:"pointer,omitempty"`
	Item    string `bson:"item,omitempty"`
	Sheet   string `bson:"sheet,omitempty"`
	Row     int    `bson:"row,omitempty"`
	Column  string `bson:"column,omitempty"`
	Pos     *int   `bson:"pos,omitempty"`
}

func problemDocOf(p survey.Problem) problemDoc {
	return problemDoc{Severity: p.Severity, Code: p.Code, Place: placeDoc(p.Place), Value: p.Value,
		Args: pairs(p.Args), Suggestion: p.Suggestion, Text: pairs(p.Text)}
}

func (d problemDoc) problem() survey.Problem {
	return survey.Problem{Severity: d.Severity, Code: d.Code, Place: survey.Place(d.Place), Value: d.Value,
		Args: survey.Args(d.Args), Suggestion: d.Suggestion, Text: survey.Text(d.Text)}
}

// visitDoc is a visit's key in the documents that have one.
type visitDoc struct {
	Round    survey.RoundCode    `bson:"round"`
	Template survey.TemplateCode `bson:"template"`
	Unit     survey.UnitCode     `bson:"unit"`
	Role     survey.Role         `bson:"role"`
	Period   string              `bson:"period"`
}

// factsDoc is a unit's place on the axes, its tags and its size.
type factsDoc struct {
	Structure string   `bson:"structure,omitempty"`
	Sector    string   `bson:"sector,omitempty"`
	Setting   string   `bson:"setting,omitempty"`
	Tags      []string `bson:"tags,omitempty"`
	Members   int      `bson:"members,omitempty"`
}
