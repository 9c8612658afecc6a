package mongo

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/surveytest"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// offline gives a store without a server: enough to make documents.
func offline(t *testing.T) *Store {
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI("mongodb://127.0.0.1:1/"))
	surveytest.Must(t, err)
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return &Store{db: client.Database("offline")}
}

// Every field of the domain's types is in a document: one that is added there
// and forgotten here fails this test.
func TestEveryFieldIsKept(t *testing.T) {
	s := offline(t)
	testKept(t, s.templateShelf())
	testKept(t, s.typeListsShelf())
	testKept(t, s.unitShelf())
	testKept(t, s.personShelf())
	testKept(t, s.tokenShelf())
	testKept(t, s.roundShelf())
	testKept(t, s.assignmentShelf())
	testKept(t, s.responseShelf())
}

func testKept[T any](t *testing.T, c *shelf[T]) {
	t.Run(c.noun, func(t *testing.T) {
		v := new(T)
		n := 0
		fill(reflect.ValueOf(v).Elem(), &n, 3)
		raw, err := c.marshal(v, newHead(*c.rev(v)))
		surveytest.Must(t, err)
		got, err := c.read(raw)
		surveytest.Must(t, err)
		surveytest.WantSame(t, got, v)

		raw, err = c.marshal(new(T), newHead(1))
		surveytest.Must(t, err)
		bare, err := c.read(raw)
		surveytest.Must(t, err)
		want := new(T)
		*c.rev(want) = 1
		surveytest.WantSame(t, bare, want)
	})
}

// fill gives every field a value of its own. Types that hold themselves (items,
// answers) are filled to a depth.
func fill(v reflect.Value, n *int, depth int) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMilli(int64(*n) * 1001).UTC()))
		return
	case survey.Value:
		if depth == 0 {
			v.Set(reflect.ValueOf(survey.NumberValue(float64(*n))))
			return
		}
		rows := survey.Answers{{Item: fmt.Sprint("row.", *n)}}
		fill(reflect.ValueOf(&rows[0].Value).Elem(), n, depth-1)
		v.Set(reflect.ValueOf(survey.RowsValue(rows)))
		return
	case survey.Answers:
		list, no := survey.ListValue(), survey.Value{Kind: survey.ValueBool}
		list.List = []string{} // an empty list is no blank
		answers := survey.Answers{{Item: "list", Value: list}, {Item: "blank"}, {Item: "no", Value: no}, {Item: "rows"}}
		fill(reflect.ValueOf(&answers[3].Value).Elem(), n, depth)
		v.Set(reflect.ValueOf(answers))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("$text.", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n, depth)
	case reflect.Slice:
		size := 2
		if depth == 0 {
			size = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), size, size))
		for i := range size {
			fill(v.Index(i), n, depth-1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range []string{"vi", "a.b", "$c", "100%2E", "", "nul\x00", "%"} {
			e := reflect.New(v.Type().Elem()).Elem()
			if fill(e, n, depth); e.Kind() == reflect.String {
				e.SetString(fmt.Sprint(key, *n))
			}
			v.SetMapIndex(reflect.ValueOf(key), e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			// Rows of a workbook are no part of what is kept.
			if f := v.Type().Field(i); f.Name != "Row" || f.Tag.Get("json") != "-" {
				fill(v.Field(i), n, depth)
			}
		}
	default:
		panic("a field of the domain is a " + v.Type().String())
	}
}

func TestDocumentsCanBeReadWithoutUs(t *testing.T) {
	s := offline(t)
	raw, err := s.responseShelf().marshal(surveytest.Response(7), newHead(1))
	surveytest.Must(t, err)
	for path, want := range map[string]any{
		"_id": string(surveytest.Response(7).ID), "meeting_date": "2018-03-03", "unit": "Q00-P00-C007", "state": "submitted",
		"submission.answers.0.i": "present", "submission.answers.0.n": 7.0, "submission.answers.2.t": "p4",
		"standing.path.0": "TW", "visit": "test-2018|SHCB-TK|Q00-P00-C007|observer|",
	} {
		value, err := raw.LookupErr(strings.Split(path, ".")...)
		surveytest.Must(t, err)
		var got any
		surveytest.Must(t, value.Unmarshal(&got))
		if got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if kind := raw.Lookup("submission", "received_at").Type; kind != bson.TypeDateTime {
		t.Errorf("a time is stored as %s", kind)
	}
	if kind := raw.Lookup("submission", "raw").Type; kind != bson.TypeBinary {
		t.Errorf("raw bytes are stored as %s", kind)
	}
}

func TestPointsAreExactAsNumbers(t *testing.T) {
	for _, p := range []survey.Points{0, 1, 350, -25, 9999, 100_00, 1<<50 + 1, -(1 << 50) - 3} {
		if got := toPoints(points(p)); got != p {
			t.Errorf("%s came back as %s", p, got)
		}
	}
}

func TestSecretsAreLeftOutOfAddresses(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://h:27017/db":                    "mongodb://h:27017/db",
		"mongodb://u:secret@h/db?tls=true":        "mongodb://***@h/db",
		"mongodb://u:sec@ret@h/?authSource=admin": "mongodb://***@h/",
		"u:secret@h": "***@h",
		"mongodb://h/?tlsCertificateKeyFilePassword=s": "mongodb://h/",
		"": "",
	} {
		if got := withoutSecrets(uri); got != want {
			t.Errorf("%q is shown as %q, want %q", uri, got, want)
		}
	}
}

func TestSQLStatesArePacked(t *testing.T) {
	if got := sqlState("40P01"); got != 16908292 { // as FerretDB 2.7 reports a deadlock
		t.Errorf("40P01 is %d", got)
	}
}
