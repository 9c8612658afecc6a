package expr

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// builtin is a function of the language. One without eval or special parses and
// prints, is reported as unsupported and evaluates to blank.
type builtin struct {
	min, max int // max below 0: any number
	typ      Type
	numbers  bool // arguments are numbers
	random   bool // gives another result every time
	special  op
	eval     func(env Env, args []Value) Value
}

func number1(f func(float64) float64) builtin {
	return builtin{min: 1, max: 1, typ: NumberType, numbers: true, eval: func(_ Env, a []Value) Value { return Num(f(a[0].Number())) }}
}

func text1(f func(string) string) builtin {
	return builtin{min: 1, max: 1, typ: TextType, eval: func(_ Env, a []Value) Value { return Str(f(a[0].Text())) }}
}

func text2(typ Type, f func(a, b string) Value) builtin {
	return builtin{min: 2, max: 2, typ: typ, eval: func(_ Env, a []Value) Value { return f(a[0].Text(), a[1].Text()) }}
}

// builtins are the functions of XPath 1.0 and of ODK that forms use.
var builtins = map[string]builtin{
	"true":    {typ: BoolType, eval: func(Env, []Value) Value { return Boolean(true) }},
	"false":   {typ: BoolType, eval: func(Env, []Value) Value { return Boolean(false) }},
	"not":     {min: 1, max: 1, typ: BoolType, special: opNot},
	"boolean": {min: 1, max: 1, typ: BoolType, eval: func(_ Env, a []Value) Value { return Boolean(a[0].Truth()) }},
	"boolean-from-string": {min: 1, max: 1, typ: BoolType, eval: func(_ Env, a []Value) Value {
		s := a[0].Text()
		return Boolean(s == "1" || strings.EqualFold(s, "true"))
	}},
	"if":       {min: 3, max: 3, special: opIf},
	"coalesce": {min: 2, max: 2, special: opCoalesce},
	"once":     {min: 1, max: 1, special: opOnce},

	"selected":       {min: 2, max: 2, typ: BoolType, special: opSelected},
	"selected-at":    {min: 2, max: 2, typ: TextType, eval: selectedAt},
	"count-selected": {min: 1, max: 1, typ: NumberType, eval: func(_ Env, a []Value) Value { return Num(float64(len(strings.Fields(a[0].Text())))) }},

	"count":           {min: 1, max: 1, typ: NumberType, eval: func(_ Env, a []Value) Value { return Num(float64(len(a[0].Nodes()))) }},
	"count-non-empty": {min: 1, max: 1, typ: NumberType, eval: func(_ Env, a []Value) Value { return Num(float64(len(filled(a)))) }},
	"sum":             {min: 1, max: 1, typ: NumberType, eval: sum},
	"min":             {min: 1, max: -1, typ: NumberType, eval: func(_ Env, a []Value) Value { return extreme(a, math.Min) }},
	"max":             {min: 1, max: -1, typ: NumberType, eval: func(_ Env, a []Value) Value { return extreme(a, math.Max) }},
	"join":            {min: 2, max: -1, typ: TextType, eval: func(_ Env, a []Value) Value { return Str(strings.Join(texts(a[1:]), a[0].Text())) }},
	"position":        {min: 0, max: 1, typ: NumberType, eval: func(e Env, _ []Value) Value { return Num(float64(e.Position())) }},
	"index":           {min: 0, max: 0, typ: NumberType, eval: func(e Env, _ []Value) Value { return Num(float64(e.Position())) }},
	"indexed-repeat":  {min: 3, max: 7, eval: indexedRepeat},

	"string":        {min: 1, max: 1, typ: TextType, eval: func(_ Env, a []Value) Value { return Str(a[0].Text()) }},
	"string-length": {min: 1, max: 1, typ: NumberType, eval: func(_ Env, a []Value) Value { return Num(float64(utf8.RuneCountInString(a[0].Text()))) }},
	"concat":        {min: 1, max: -1, typ: TextType, eval: func(_ Env, a []Value) Value { return Str(strings.Join(texts(a), "")) }},
	"substr":        {min: 2, max: 3, typ: TextType, eval: substr},
	"substring-before": text2(TextType, func(a, b string) Value {
		before, _, found := strings.Cut(a, b)
		if !found {
			return Str("")
		}
		return Str(before)
	}),
	"substring-after": text2(TextType, func(a, b string) Value { _, after, _ := strings.Cut(a, b); return Str(after) }),
	"contains":        text2(BoolType, func(a, b string) Value { return Boolean(strings.Contains(a, b)) }),
	"starts-with":     text2(BoolType, func(a, b string) Value { return Boolean(strings.HasPrefix(a, b)) }),
	"ends-with":       text2(BoolType, func(a, b string) Value { return Boolean(strings.HasSuffix(a, b)) }),
	"normalize-space": text1(func(s string) string { return strings.Join(strings.Fields(s), " ") }),
	"translate":       {min: 3, max: 3, typ: TextType, eval: translate},
	"regex":           {min: 2, max: 2, typ: BoolType, eval: regex},

	"number": {min: 1, max: 1, typ: NumberType, eval: func(_ Env, a []Value) Value { return Num(a[0].Number()) }},
	"int":    {min: 1, max: 1, typ: NumberType, eval: func(_ Env, a []Value) Value { return Num(math.Trunc(a[0].Number())) }},
	"round":  {min: 1, max: 2, typ: NumberType, numbers: true, eval: round},
	"abs":    number1(math.Abs), "sqrt": number1(math.Sqrt), "exp": number1(math.Exp), "log": number1(math.Log), "log10": number1(math.Log10),
	"exp10": number1(func(x float64) float64 { return math.Pow(10, x) }),
	"sin":   number1(math.Sin), "cos": number1(math.Cos), "tan": number1(math.Tan),
	"asin": number1(math.Asin), "acos": number1(math.Acos), "atan": number1(math.Atan),
	"floor": number1(math.Floor), "ceiling": number1(math.Ceil),
	"pow":   {min: 2, max: 2, typ: NumberType, numbers: true, eval: func(_ Env, a []Value) Value { return Num(math.Pow(a[0].Number(), a[1].Number())) }},
	"atan2": {min: 2, max: 2, typ: NumberType, numbers: true, eval: func(_ Env, a []Value) Value { return Num(math.Atan2(a[0].Number(), a[1].Number())) }},
	"pi":    {typ: NumberType, eval: func(Env, []Value) Value { return Num(math.Pi) }},

	"today":             {typ: DateType, eval: func(e Env, _ []Value) Value { return DateValue(math.Floor(wallDays(e.Now()))) }},
	"now":               {typ: DateTimeType, eval: func(e Env, _ []Value) Value { return DateTimeValue(float64(e.Now().UnixMilli()) / 86400e3) }},
	"date":              {min: 1, max: 1, typ: DateType, eval: date},
	"date-time":         {min: 1, max: 1, typ: DateTimeType, eval: dateTime},
	"decimal-date-time": {min: 1, max: 1, typ: NumberType, eval: decimalDateTime},
	"decimal-time":      {min: 1, max: 1, typ: NumberType, eval: decimalTime},
	"format-date":       {min: 2, max: 2, typ: TextType, eval: formatDate},
	"format-date-time":  {min: 2, max: 2, typ: TextType, eval: formatDate},

	"checklist":          {min: 2, max: -1, typ: BoolType, eval: checklist},
	"weighted-checklist": {min: 2, max: -1, typ: BoolType, eval: weightedChecklist},

	"uuid":          {min: 0, max: 1, typ: TextType, random: true, eval: func(Env, []Value) Value { return Str(uuid.NewString()) }},
	"digest":        {min: 2, max: 3, typ: TextType, eval: digest},
	"base64-decode": {min: 1, max: 1, typ: TextType, eval: base64Decode},
	"distance":      {min: 1, max: -1, typ: NumberType, eval: distance},

	// These need what only a form client has.
	"random": {typ: NumberType, random: true}, "randomize": {min: 1, max: 2}, "pulldata": {min: 4, max: 4}, "instance": {min: 1, max: 1},
	"current": {}, "jr:choice-name": {min: 2, max: 2, typ: TextType}, "jr:itext": {min: 1, max: 1, typ: TextType}, "property": {min: 1, max: 1, typ: TextType},
	"area": {min: 1, max: 1, typ: NumberType}, "geofence": {min: 2, max: 2, typ: BoolType}, "intersects": {min: 1, max: 1, typ: BoolType},
	"name": {min: 0, max: 1, typ: TextType}, "local-name": {min: 0, max: 1, typ: TextType}, "last": {typ: NumberType}, "id": {min: 1, max: 1},
	"version": {typ: TextType}, "extract-signed": {min: 2, max: 2, typ: TextType},
}

func selectedAt(_ Env, a []Value) Value {
	list, n := strings.Fields(a[0].Text()), a[1].Number()
	if n != n || n < 0 || int(n) >= len(list) {
		return Str("")
	}
	return Str(list[int(n)])
}

// flat gives the members of all arguments.
func flat(args []Value) []Value {
	var out []Value
	for _, a := range args {
		if a.kind == Nodes {
			out = append(out, a.nodes...)
		} else {
			out = append(out, a)
		}
	}
	return out
}

// filled gives those that are not empty.
func filled(args []Value) []Value {
	var out []Value
	for _, v := range flat(args) {
		if !v.IsEmpty() {
			out = append(out, v)
		}
	}
	return out
}

func texts(args []Value) []string {
	values := flat(args)
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.Text()
	}
	return out
}

// sum adds up a node-set; members left empty do not count, as in Collect.
func sum(_ Env, a []Value) Value {
	total := 0.0
	for _, v := range filled(a) {
		total += v.Number()
	}
	return Num(total)
}

// extreme gives the smallest or largest; blank for none.
func extreme(a []Value, pick func(x, y float64) float64) Value {
	values := filled(a)
	if len(values) == 0 {
		return BlankValue()
	}
	best := values[0].Number()
	for _, v := range values[1:] {
		best = pick(best, v.Number())
	}
	return Num(best)
}

// indexedRepeat takes the n-th value of a node-set, counted from 1.
func indexedRepeat(_ Env, a []Value) Value {
	nodes, n := a[0].Nodes(), a[2].Number()
	if n != n || n < 1 || int(n) > len(nodes) {
		return BlankValue()
	}
	return nodes[int(n)-1]
}

// substr cuts from a 0-based start to before the end; both may count from the
// end when negative.
func substr(_ Env, a []Value) Value {
	runes := []rune(a[0].Text())
	bound := func(v Value) int {
		f := v.Number()
		if f != f {
			return 0
		}
		n := int(max(-1e9, min(1e9, f)))
		if n < 0 {
			n += len(runes)
		}
		return max(0, min(len(runes), n))
	}
	from, to := bound(a[1]), len(runes)
	if len(a) == 3 {
		to = bound(a[2])
	}
	if from >= to {
		return Str("")
	}
	return Str(string(runes[from:to]))
}

func translate(_ Env, a []Value) Value {
	from, to := []rune(a[1].Text()), []rune(a[2].Text())
	return Str(strings.Map(func(r rune) rune {
		for i, f := range from {
			if f != r {
				continue
			}
			if i < len(to) {
				return to[i]
			}
			return -1
		}
		return r
	}, a[0].Text()))
}

// regex matches the whole text. A pattern that is not known before is compiled
// each time; one that is not valid matches nothing.
func regex(_ Env, a []Value) Value {
	re, err := compileRegex(a[1].Text())
	return Boolean(err == nil && re.MatchString(a[0].Text()))
}

// round rounds half away from zero, on the shortest decimal that stands for the
// number, so that round(2.675, 2) is 2.68 as a person expects.
func round(_ Env, a []Value) Value {
	x := a[0].Number()
	places := 0.0
	if len(a) == 2 {
		places = a[1].Number()
	}
	if x != x || math.IsInf(x, 0) || places != places {
		return Num(x)
	}
	return Num(roundDecimal(x, int(max(-30, min(30, places)))))
}

func roundDecimal(x float64, places int) float64 {
	if places == 0 && math.Abs(x) < 1<<52 {
		return math.Round(x)
	}
	// 'e' form: d.ddde±xx; the digits after the kept ones decide.
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(x), 'e', -1, 64), "e")
	exp, _ := strconv.Atoi(exponent)
	digits := strings.Replace(mantissa, ".", "", 1)
	keep := exp + 1 + places // how many digits stay
	if keep >= len(digits) {
		return x
	}
	if keep < 0 {
		return 0
	}
	up := digits[keep] >= '5'
	kept := []byte("0" + digits[:keep])
	for i := len(kept) - 1; up && i >= 0; i-- {
		if kept[i] == '9' {
			kept[i] = '0'
			continue
		}
		kept[i]++
		up = false
	}
	f, _ := strconv.ParseFloat(string(kept)+"e"+strconv.Itoa(-places), 64)
	return math.Copysign(f, x)
}

// wallDays gives the days since 1970 that the wall clock in t's zone shows.
func wallDays(t time.Time) float64 {
	_, offset := t.Zone()
	return float64(t.UnixMilli()+int64(offset)*1000) / 86400e3
}

func date(_ Env, a []Value) Value {
	if d, ok := a[0].moment(); ok {
		return DateValue(math.Floor(d))
	}
	return BlankValue()
}

func dateTime(_ Env, a []Value) Value {
	if d, ok := a[0].moment(); ok {
		return DateTimeValue(d)
	}
	return BlankValue()
}

func decimalDateTime(_ Env, a []Value) Value {
	if d, ok := a[0].moment(); ok {
		return Num(d)
	}
	return BlankValue()
}

func decimalTime(_ Env, a []Value) Value {
	if f, ok := a[0].timeOfDay(); ok {
		return Num(f)
	}
	return BlankValue()
}

// formatDate writes a date by the strftime-like codes of ODK.
func formatDate(e Env, a []Value) Value {
	d, ok := a[0].moment()
	if !ok {
		return Str("")
	}
	t := dayTime(d)
	if k := a[0].first().kind; k == DateTime {
		t = t.In(e.Now().Location())
	}
	layouts := map[byte]string{'Y': "2006", 'y': "06", 'm': "01", 'n': "1", 'd': "02", 'e': "2", 'H': "15", 'M': "04", 'S': "05", 'b': "Jan", 'a': "Mon"}
	var b strings.Builder
	pattern := a[1].Text()
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i+1 == len(pattern) {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		switch layout, known := layouts[pattern[i]]; {
		case known:
			b.WriteString(t.Format(layout))
		case pattern[i] == 'h':
			b.WriteString(strconv.Itoa(t.Hour()))
		case pattern[i] == '3':
			b.WriteString(t.Format(".000")[1:])
		case pattern[i] == '%':
			b.WriteByte('%')
		}
	}
	return Str(b.String())
}

// checklist(min, max, v1, v2, ...) reports whether between min and max of the
// values are true; -1 does not bound.
func checklist(_ Env, a []Value) Value {
	n := 0.0
	for _, v := range flat(a[2:]) {
		if v.Truth() {
			n++
		}
	}
	return Boolean(between(n, a[0].Number(), a[1].Number()))
}

// weightedChecklist(min, max, v1, w1, v2, w2, ...) adds up the weights of those
// that are true.
func weightedChecklist(_ Env, a []Value) Value {
	n := 0.0
	for i := 2; i+1 < len(a); i += 2 {
		if a[i].Truth() {
			n += a[i+1].Number()
		}
	}
	return Boolean(between(n, a[0].Number(), a[1].Number()))
}

func between(n, low, high float64) bool {
	return (low == -1 || n >= low) && (high == -1 || n <= high)
}

func digest(_ Env, a []Value) Value {
	data := []byte(a[0].Text())
	var sum []byte
	switch strings.ToUpper(a[1].Text()) {
	case "MD5":
		s := md5.Sum(data)
		sum = s[:]
	case "SHA-1":
		s := sha1.Sum(data)
		sum = s[:]
	case "SHA-256":
		s := sha256.Sum256(data)
		sum = s[:]
	case "SHA-384":
		s := sha512.Sum384(data)
		sum = s[:]
	case "SHA-512":
		s := sha512.Sum512(data)
		sum = s[:]
	default:
		return BlankValue()
	}
	if len(a) == 3 && strings.EqualFold(a[2].Text(), "hex") {
		return Str(hex.EncodeToString(sum))
	}
	return Str(base64.StdEncoding.EncodeToString(sum))
}

func base64Decode(_ Env, a []Value) Value {
	b, err := base64.StdEncoding.DecodeString(a[0].Text())
	if err != nil || !utf8.Valid(b) {
		return BlankValue()
	}
	return Str(string(b))
}

// distance gives the length in metres of the path through geopoints ("lat lon
// ..."), by the haversine formula on a sphere of 6,378,100 m as JavaRosa does.
func distance(_ Env, a []Value) Value {
	var points [][2]float64
	for _, v := range flat(a) {
		for _, part := range strings.Split(v.Text(), ";") {
			fields := strings.Fields(part)
			if len(fields) < 2 {
				continue
			}
			lat, lon := parseNumber(fields[0]), parseNumber(fields[1])
			if lat != lat || lon != lon {
				return BlankValue()
			}
			points = append(points, [2]float64{lat * math.Pi / 180, lon * math.Pi / 180})
		}
	}
	total := 0.0
	for i := 1; i < len(points); i++ {
		p, q := points[i-1], points[i]
		h := math.Pow(math.Sin((q[0]-p[0])/2), 2) + math.Cos(p[0])*math.Cos(q[0])*math.Pow(math.Sin((q[1]-p[1])/2), 2)
		total += 2 * 6378100 * math.Asin(math.Min(1, math.Sqrt(h)))
	}
	return Num(total)
}
