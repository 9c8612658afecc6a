package openrosa_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/survey"
)

const filledIn = `<?xml version='1.0' ?>
<data id="ALL" version="7" xmlns:orx="http://openrosa.org/xforms" xmlns:jr="http://openrosa.org/javarosa">
  <start_>2026-08-22T10:02:11.004+07:00</start_><end_>2026-08-22T10:31:40.900+07</end_><deviceid_>collect:8Kd0</deviceid_>
  <visit__>r1:U1:observer</visit__>
  <who>Lan &amp; Đức
two lines</who><day>2026-08-22</day><hour>10:05:00.000+07:00</hour><moment>2026-08-22T10:05:00.000+07:00</moment>
  <n>2</n><level>p1</level><level_note>seen</level_note><where>10.5 106.25 35.0  4.8</where><photo>1755846100123.jpg</photo><intro/>
  <rooms_count>3</rooms_count>
  <rooms><inner><warm>21.5</warm><cold>14</cold></inner><why/><things><thing>a b</thing></things><things><thing/></things></rooms>
  <rooms><inner><warm/><cold>3</cold></inner></rooms>
  <sum>5</sum>
  <only><extra> </extra></only>
  <check_2_/><later>x</later>
  <orx:meta><orx:instanceID>uuid:5c1f0000-0000-4000-8000-000000000001</orx:instanceID><deprecatedID>uuid:old</deprecatedID><audit>audit.csv</audit></orx:meta>
</data>`

func TestReadingWhatCollectSends(t *testing.T) {
	d, err := openrosa.Open([]byte("\uFEFF" + filledIn))
	if err != nil {
		t.Fatal(err)
	}
	if d.FormID != "ALL" || d.Version != "7" || d.InstanceID != "uuid:5c1f0000-0000-4000-8000-000000000001" || d.DeprecatedID != "uuid:old" || d.Encrypted {
		t.Errorf("%+v", d)
	}
	r := openrosa.NewReader(everything())
	s := r.Read(d)
	got, err := s.Answers.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"who":"Lan & Đức\ntwo lines","day":"2026-08-22","hour":"10:05","moment":"2026-08-22T10:05:00+07:00","n":2,"level":"p1","level_note":"seen",` +
		`"where":"10.5 106.25 35.0 4.8","photo":"1755846100123.jpg","rooms":[{"warm":21.5,"why":null,"things":[{"thing":["a","b"]}]},{"warm":null}],"extra":null}`
	if string(got) != want {
		t.Errorf("answers\n%s\nwant\n%s", got, want)
	}
	if s.Visit != "r1:U1:observer" || s.Device != "collect:8Kd0" || !s.EndedAt.Equal(time.Date(2026, 8, 22, 3, 31, 40, 900e6, time.UTC)) {
		t.Errorf("%+v", s)
	}
	if fmt.Sprint(s.Attachments, s.Unknown) != "[1755846100123.jpg audit.csv] [/data/later]" {
		t.Error(s.Attachments, s.Unknown)
	}
	form, problems := survey.Compile(everything(), nil)
	if form == nil {
		t.Fatal(problems)
	}
	kept := form.Fill(s.Answers, survey.Context{}).Answers()
	// cold is 10 + 2 + 1 = 13 in the first room, and no number in the second, where warm is blank.
	var where []string
	for _, p := range r.Differences(s.Calculated, kept) {
		where = append(where, p.Place.Pointer)
	}
	if fmt.Sprint(where) != "[/rooms/0/cold /rooms/1/cold /sum]" {
		t.Error(where)
	}
}

func TestWhatIsRefused(t *testing.T) {
	deep := strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)
	for name, c := range map[string]struct{ xml, code string }{
		"nothing":           {"", "openrosa.not_xml"},
		"no XML":            {"PK\x03\x04", "openrosa.not_xml"},
		"cut off":           {filledIn[:len(filledIn)/2], "openrosa.not_xml"},
		"an entity bomb":    {`<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><data id="x">&b;</data>`, "openrosa.doctype"},
		"an entity":         {`<data id="x">&secret;</data>`, "openrosa.not_xml"},
		"deep nesting":      {deep, "openrosa.too_deep"},
		"many nodes":        {"<data>" + strings.Repeat("<a/>", 300_000) + "</data>", "openrosa.too_deep"},
		"control character": {"<data id='x'>a\x01b</data>", "openrosa.not_xml"},
		"a zero":            {"<data id='x'>a&#0;b</data>", "openrosa.not_xml"},
		"no UTF-8":          {"<data id='x'>\xff\xfe</data>", "openrosa.not_xml"},
		"another encoding":  {`<?xml version="1.0" encoding="UTF-16"?><data/>`, "openrosa.not_xml"},
		"two roots":         {"<a/><b/>", "openrosa.not_xml"},
		"many comments":     {"<data>" + strings.Repeat("x<!---->", 500_000), "openrosa.not_xml"},
		"too long":          {"<data>" + strings.Repeat(" ", openrosa.MaxXML) + "</data>", "openrosa.too_long"},
	} {
		if _, err := openrosa.Open([]byte(c.xml)); survey.CodeOf(err) != c.code || survey.KindOf(err) != survey.Invalid {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestEncryptedStaysOpaque(t *testing.T) {
	d, err := openrosa.Open([]byte(`<data id="ALL" version="7" encrypted="yes" xmlns="http://opendatakit.org/submissions"><base64EncryptedKey>k</base64EncryptedKey>
<meta xmlns="http://openrosa.org/xforms"><instanceID>uuid:1</instanceID></meta><media><file>a.jpg.enc</file></media><encryptedXmlFile>submission.xml.enc</encryptedXmlFile></data>`))
	if err != nil || !d.Encrypted || fmt.Sprint(d.Attachments) != "[a.jpg.enc submission.xml.enc]" {
		t.Error(d, err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(filledIn))
	f.Add([]byte(`<data id="x" version="1"><a>1</a><meta><instanceID>uuid:1</instanceID></meta></data>`))
	r := openrosa.NewReader(everything())
	form, _ := survey.Compile(everything(), nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := openrosa.Open(b)
		if err != nil {
			if survey.KindOf(err) != survey.Invalid {
				t.Fatal(err)
			}
			return
		}
		s := r.Read(d)
		kept := form.Fill(s.Answers, survey.Context{})
		kept.Validate()
		if _, err := json.Marshal(kept.Answers()); err != nil {
			t.Fatal(err)
		}
		r.Differences(s.Calculated, kept.Answers())
	})
}
