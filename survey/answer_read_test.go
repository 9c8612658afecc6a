package survey_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/survey"
)

func TestAnswersAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]survey.Answers{
		`null`:          nil,
		`{}`:            {},
		` { } `:         {},
		`{"A1" : "p4"}`: {{Item: "A1", Value: survey.TextValue("p4")}},
		`{"n":-1.5e2,"blank":null,"yes":true,"no":false}`: {
			{Item: "n", Value: survey.NumberValue(-150)}, {Item: "blank"},
			{Item: "yes", Value: survey.Value{Kind: survey.ValueBool, Number: 1}}, {Item: "no", Value: survey.Value{Kind: survey.ValueBool}}},
		`{"t":"Chi bộ \"A\" \u1ed9\n\ud83d\ude00 < > &","\u0041":""}`: {
			{Item: "t", Value: survey.TextValue("Chi bộ \"A\" ộ\n😀 < > &")}, {Item: "A", Value: survey.TextValue("")}},
		`{"m":["a","b\\"],"none":[]}`: {{Item: "m", Value: survey.ListValue("a", `b\`)}, {Item: "none", Value: survey.ListValue()}},
		"{\"r\":[\n{\"x\":1},\t{\"y\":[{\"z\":null}]}\r]}": {{Item: "r", Value: survey.RowsValue(
			survey.Answers{{Item: "x", Value: survey.NumberValue(1)}},
			survey.Answers{{Item: "y", Value: survey.RowsValue(survey.Answers{{Item: "z"}})}})}},
	} {
		var got survey.Answers
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %#v\nwant %#v", text, got, want)
		}
	}
}

func TestAnswersOfNoKnownShapeAreToldWithTheirPlace(t *testing.T) {
	deep := strings.Repeat(`{"r":[`, 17) + `{}` + strings.Repeat(`]}`, 17)
	for text, want := range map[string]string{
		`[]`:                      " answers.not_object",
		`"text"`:                  " answers.not_object",
		`{"a":1,"a":2}`:           "/a answers.twice",
		`{"a":1,"\u0061":2}`:      "/a answers.twice",
		`{"x/y~":{}}`:             "/x~1y~0 answers.object_value",
		`{"a":1e999}`:             "/a answers.number",
		`{"a":["x",{}]}`:          "/a/1 answers.mixed_array",
		`{"a":[{},"x"]}`:          "/a/1 answers.mixed_array",
		`{"a":[1]}`:               "/a/0 answers.mixed_array",
		`{"a":["x",null]}`:        "/a/1 answers.mixed_array",
		`{"a":[["x"]]}`:           "/a/0 answers.mixed_array",
		`{"r":[{},{"b":[true]}]}`: "/r/1/b/0 answers.mixed_array",
		deep:                      strings.Repeat("/r/0", 17) + " answers.too_deep",
	} {
		var got survey.Answers
		err := json.Unmarshal([]byte(text), &got)
		var e *survey.Error
		if !errors.As(err, &e) || len(e.Problems) != 1 {
			t.Errorf("%s: %v", text, err)
		} else if p := e.Problems[0]; p.Place.Pointer+" "+p.Code != want {
			t.Errorf("%s: %s %s, want %s", text, p.Place.Pointer, p.Code, want)
		}
	}
}

// FuzzAnswers: no input panics; JSON is read or refused as Invalid, anything
// else is an error; and what was read is written and read again unchanged.
func FuzzAnswers(f *testing.F) {
	f.Add(`{"a":"b\u0000","c":[{"d":[]}],"e":1.5}`)
	f.Add(`{"a":["x","y"],"b":null,"c":true`)
	f.Add("{\"a\":\"\xff\"}")
	f.Fuzz(func(t *testing.T, text string) {
		var direct survey.Answers
		err := direct.UnmarshalJSON([]byte(text))
		if !json.Valid([]byte(text)) {
			return
		}
		if err != nil {
			if survey.KindOf(err) != survey.Invalid {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		written, err := json.Marshal(direct)
		if err != nil {
			t.Fatal(err)
		}
		var again survey.Answers
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%q, written %q: %v", text, written, err)
		}
		if rewritten, _ := json.Marshal(again); string(rewritten) != string(written) {
			t.Fatalf("%q, written %q, then %q", text, written, rewritten)
		}
	})
}
