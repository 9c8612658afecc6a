package scoring

import (
	"encoding/binary"
	"errors"

	"github.com/khaosat/khaosat/survey"
)

// packVersion is the first byte of every packed row.
const packVersion = 1

// Pack gives the packed row of a response: all that summaries need of it, in
// about 150 bytes. It is derived from the answers, the template version and the
// unit as of the meeting date, and can be made again from them at any time.
//
// The row is: the version of the format; template and version; role, period,
// observer; meeting date; the unit's place (path, axes, tags) behind its length;
// whether there is a total, the total in hundredths, bands and caps; one code an
// item, with two bytes of points behind those whose points vary. Numbers are
// varints, texts stand behind their length.
func (l *Layout) Pack(r *Result, resp *survey.Response) []byte {
	b := make([]byte, 0, 192)
	b = append(b, packVersion)
	b = appendText(b, string(resp.Template))
	b = binary.AppendUvarint(b, uint64(resp.TemplateVersion))
	b = appendText(b, string(resp.Role))
	b = appendText(b, resp.Period)
	b = appendText(b, string(resp.Observer))
	b = binary.AppendVarint(b, int64(resp.MeetingDate))
	b = appendText(b, string(appendPlace(make([]byte, 0, 96), &resp.Standing)))
	b = append(b, reasonCode(r.Reason))
	b = binary.AppendVarint(b, int64(r.Total))
	b = append(b, byte(r.Band+1), byte(r.BandFirst+1))
	b = binary.AppendUvarint(b, uint64(r.Caps))
	for i := range l.items {
		code, points := l.code(&l.items[i], r)
		b = append(b, code)
		if l.items[i].varies {
			b = binary.LittleEndian.AppendUint16(b, uint16(int16(points)))
		}
	}
	return b
}

var reasons = [...]Reason{Scored, Incomplete, TooFewAvailable, NoScheme}

func reasonCode(r Reason) byte {
	for i := range reasons {
		if reasons[i] == r {
			return byte(i)
		}
	}
	return byte(len(reasons) - 1)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendPlace(b []byte, s *survey.Standing) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.Path)))
	for _, u := range s.Path {
		b = appendText(b, string(u))
	}
	b = appendText(b, s.Structure)
	b = appendText(b, s.Sector)
	b = appendText(b, s.Setting)
	b = binary.AppendUvarint(b, uint64(len(s.Tags)))
	for _, t := range s.Tags {
		b = appendText(b, t)
	}
	return b
}

// packed is a packed row taken apart. Its byte slices lie in the row.
type packed struct {
	template, role, period, observer, place []byte
	version                                 int
	date                                    survey.Date
	reason                                  byte
	total                                   int64
	band, bandFirst                         int8
	caps                                    uint32
	items                                   []byte
}

// errPacked answers a row that no version of this program wrote.
var errPacked = errors.New("scoring: damaged packed row")

// unpack takes a row apart.
func unpack(row []byte) (packed, error) {
	r := reader{b: row}
	if r.byte() != packVersion {
		return packed{}, errPacked
	}
	var p packed
	p.template = r.text()
	p.version = int(r.uvarint())
	p.role = r.text()
	p.period = r.text()
	p.observer = r.text()
	p.date = survey.Date(r.varint())
	p.place = r.text()
	p.reason = r.byte()
	p.total = r.varint()
	p.band, p.bandFirst = int8(r.byte())-1, int8(r.byte())-1
	p.caps = uint32(r.uvarint())
	p.items = r.b
	if r.failed || int(p.reason) >= len(reasons) {
		return packed{}, errPacked
	}
	return p, nil
}

// reader reads fields one after the other and remembers if one was cut off.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) fail() { r.failed, r.b = true, nil }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}
