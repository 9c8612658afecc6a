package openrosa

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostLogLines is how many lines of a client's log are read; Collect writes some
// hundred for a visit.
const mostLogLines = 100_000

// latestTime is beyond every clock, in milliseconds, and far from overflowing.
const latestTime = 1 << 50

// Log is what Collect's audit.csv says about how a form was filled in. It is a
// device's own account: its clock may be wrong, and anybody can write such a
// file, so that it may raise a question and never answers one.
type Log struct {
	// Items are the questions by path, "/data/s1/q1", the instances of a repeat
	// together.
	Items map[string]ItemLog
	// Active is how long a question was on the screen; those that were on one
	// screen together count once.
	Active time.Duration
	// Places are where the device was, in order.
	Places []Place
	// Odd counts the lines that say nothing that can be: no times, or an end
	// before the start.
	Odd int
	// Partly says that the file was longer than is read.
	Partly bool
}

// ItemLog is what happened at one question.
type ItemLog struct {
	Spent time.Duration // on its screen, all visits together
	Seen  int           // how many times it was on the screen
	Edits int           // how many times its answer was changed from one to another
}

// Place is where the device was at a moment: degrees, and metres.
type Place struct {
	At                            time.Time
	Latitude, Longitude, Accuracy float64
}

type span struct{ from, to int64 } // milliseconds

// ReadLog reads an audit.csv. A file without the columns event, node, start and
// end is Invalid; a line that makes no sense is counted and passed over.
func ReadLog(r io.Reader) (*Log, error) {
	b := bufio.NewReader(r)
	if mark, _ := b.Peek(3); string(mark) == "\uFEFF" {
		_, _ = b.Discard(3)
	}
	rows := csv.NewReader(b)
	rows.FieldsPerRecord, rows.LazyQuotes, rows.ReuseRecord = -1, true, true
	head, err := rows.Read()
	if err != nil {
		return nil, refused("openrosa.log", nil, err)
	}
	columns := map[string]int{}
	for i, name := range head {
		columns[strings.TrimSpace(name)] = i
	}
	for _, name := range []string{"event", "node", "start", "end"} {
		if _, found := columns[name]; !found {
			return nil, refused("openrosa.log", nil, nil)
		}
	}
	l := &Log{Items: map[string]ItemLog{}}
	var spans []span
	for n := 0; ; n++ {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if n == mostLogLines {
			l.Partly = true
			break
		}
		if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
			l.Odd++
			continue
		}
		if err != nil {
			return nil, err
		}
		l.line(func(name string) string {
			if i, found := columns[name]; found && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}, &spans)
	}
	l.Active = union(spans)
	return l, nil
}

// line takes one line in; cell gives its cells by the column's name.
func (l *Log) line(cell func(string) string, spans *[]span) {
	from, err := strconv.ParseInt(cell("start"), 10, 64)
	if err != nil || from < 0 || from > latestTime {
		l.Odd++
		return
	}
	if lat, lon, within := degrees(cell("latitude"), 90), degrees(cell("longitude"), 180), degrees(cell("accuracy"), 1e7); lat != nil && lon != nil {
		p := Place{At: time.UnixMilli(from).UTC(), Latitude: *lat, Longitude: *lon}
		if within != nil {
			p.Accuracy = *within
		}
		l.Places = append(l.Places, p)
	}
	node := withoutPositions(cell("node"))
	if cell("event") != "question" || node == "" {
		return
	}
	to, err := strconv.ParseInt(cell("end"), 10, 64)
	if err != nil || to < from || to > latestTime || to-from > (1000*time.Hour).Milliseconds() {
		l.Odd++
		return
	}
	it := l.Items[node]
	it.Spent += time.Duration(to-from) * time.Millisecond
	it.Seen++
	if before := cell("old-value"); before != "" && before != cell("new-value") {
		it.Edits++
	}
	l.Items[node] = it
	*spans = append(*spans, span{from, to})
}

// degrees reads a number whose size is at most most; nil for none.
func degrees(s string, most float64) *float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= -most && f <= most) {
		return nil
	}
	return &f
}

// withoutPositions makes /data/room[2]/temp into /data/room/temp.
func withoutPositions(path string) string {
	var b strings.Builder
	depth := 0
	for _, c := range path {
		switch {
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case depth == 0:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// union is how long at least one of the spans lasts.
func union(spans []span) time.Duration {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var sum, until int64
	for i, s := range spans {
		if i == 0 || s.from > until {
			sum, until = sum+s.to-s.from, s.to
		} else if s.to > until {
			sum, until = sum+s.to-until, s.to
		}
	}
	return time.Duration(sum) * time.Millisecond
}
