package openrosa_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/survey"
)

func TestReadingTheLogOfCollect(t *testing.T) {
	l, err := openrosa.ReadLog(strings.NewReader("\uFEFF" + `event,node,start,end,latitude,longitude,accuracy,old-value,new-value
form start,,1534770000000,,10.5,106.25,4.8,,
question,/data/s1/q1,1534770001000,1534770011000,10.5,106.25,4.8,,3
question,/data/s1/q2,1534770001000,1534770013000,10.6,106.25,,,"a, ""b""
and c"
question,/data/room[1]/temp,1534770020000,1534770021000,,,,,20
question,/data/room[2]/temp,1534770021000,1534770023000,900,106,1,20,21
question,/data/s1/q1,1534770030000,1534770031000,NaN,106,1,3,3
question,/data/s1/q1,1534770040000,1534770039000,,,,3,4
question,/data/s1/q1,yesterday,today
question,/data/s1/q1,-9223372036854775808,9223372036854775807
jump,,1534770050000
`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]openrosa.ItemLog{
		"/data/s1/q1":     {Spent: 11 * time.Second, Seen: 2},
		"/data/s1/q2":     {Spent: 12 * time.Second, Seen: 1},
		"/data/room/temp": {Spent: 3 * time.Second, Seen: 2, Edits: 1},
	}
	if fmt.Sprint(l.Items) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", l.Items, want)
	}
	// The first two questions were on one screen.
	if l.Active != 16*time.Second || l.Odd != 3 || l.Partly || len(l.Places) != 3 || l.Places[0].Accuracy != 4.8 || !l.Places[0].At.Equal(time.UnixMilli(1534770000000)) {
		t.Errorf("%v active, %d odd, %v", l.Active, l.Odd, l.Places)
	}
	for _, bad := range []string{"", "\x00\x01", "a,b\n1,2\n"} {
		if _, err := openrosa.ReadLog(strings.NewReader(bad)); survey.KindOf(err) != survey.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	long := "event,node,start,end\n" + strings.Repeat("question,/data/a,1,2\n", 100_001)
	if l, err := openrosa.ReadLog(strings.NewReader(long)); err != nil || !l.Partly || l.Items["/data/a"].Seen != 100_000 {
		t.Errorf("%v %+v", err, l)
	}
}
