package expr

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// builtin is a function of the language. One without eval or special parses and
// prints, is reported as unsupported and evaluates to blank.
type builtin struct {
	min, max int // how many arguments; max below 0: any number
	typ      Type
	numbers  bool   // arguments are numbers
	nodes    bool   // arguments may be node-sets
	random   bool   // gives another result every time
	foreign  string // not known to Collect: what to write there instead
	counts   func(n int) bool
	special  op
	eval     func(env Env, args []Value) Value
}

// takes reports whether the function takes so many arguments.
func (b builtin) takes(n int) bool {
	return n >= b.min && (b.max < 0 || n <= b.max) && (b.counts == nil || b.counts(n))
}

// count says how many arguments the function takes.
func (b builtin) count() string {
	switch {
	case b.max < 0:
		return fmt.Sprintf("≥ %d", b.min)
	case b.min == b.max:
		return strconv.Itoa(b.min)
	}
	return fmt.Sprintf("%d–%d", b.min, b.max)
}

// supported reports whether the function can be evaluated here.
func (b builtin) supported() bool { return b.eval != nil || b.special != 0 }

// builtinNames lists the functions that can be evaluated here.
func builtinNames() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(builtins)), func(name string) bool { return !builtins[name].supported() })
}

// constant makes a function without arguments.
func constant(t Type, f func(env Env) Value) builtin {
	return builtin{typ: t, eval: func(env Env, _ []Value) Value { return f(env) }}
}

// numeric makes a function of one number.
func numeric(f func(float64) float64) builtin {
	return builtin{min: 1, max: 1, typ: NumberType, numbers: true, eval: func(env Env, a []Value) Value { return Num(f(number(env, &a[0]))) }}
}

// numeric2 makes a function of two numbers.
func numeric2(f func(x, y float64) float64) builtin {
	return builtin{min: 2, max: 2, typ: NumberType, numbers: true, eval: func(env Env, a []Value) Value {
		return Num(f(number(env, &a[0]), number(env, &a[1])))
	}}
}

// textual2 makes a function of two texts.
func textual2(t Type, f func(a, b string) Value) builtin {
	return builtin{min: 2, max: 2, typ: t, eval: func(env Env, a []Value) Value { return f(text(env, &a[0]), text(env, &a[1])) }}
}

// ownText makes a function of one text, by default that of the item itself.
func ownText(t Type, f func(string) Value) builtin {
	return builtin{max: 1, typ: t, eval: func(env Env, a []Value) Value {
		v := env.Self()
		if len(a) > 0 {
			v = a[0]
		}
		return f(text(env, &v))
	}}
}

// builtins are the functions of XPath 1.0 and of ODK that forms use.
var builtins = map[string]builtin{
	"true":                constant(BoolType, func(Env) Value { return Boolean(true) }),
	"false":               constant(BoolType, func(Env) Value { return Boolean(false) }),
	"not":                 {min: 1, max: 1, typ: BoolType, special: opNot},
	"boolean":             {min: 1, max: 1, typ: BoolType, eval: func(_ Env, a []Value) Value { return Boolean(a[0].Truth()) }},
	"boolean-from-string": {min: 1, max: 1, typ: BoolType, eval: booleanFromString},
	"if":                  {min: 3, max: 3, nodes: true, special: opIf},
	"coalesce":            {min: 2, max: 2, nodes: true, special: opCoalesce},
	"once":                {min: 1, max: 1, special: opOnce},

	"selected":       {min: 2, max: 2, typ: BoolType, special: opSelected},
	"is-selected":    {min: 2, max: 2, typ: BoolType, special: opSelected},
	"selected-at":    {min: 2, max: 2, typ: TextType, eval: selectedAt},
	"count-selected": {min: 1, max: 1, typ: NumberType, special: opCountSelected},

	"count":           {min: 1, max: 1, typ: NumberType, nodes: true, eval: count},
	"count-non-empty": {min: 1, max: 1, typ: NumberType, nodes: true, eval: countNonEmpty},
	"sum":             {min: 1, max: 1, typ: NumberType, nodes: true, eval: sum},
	"min":             {min: 1, max: -1, typ: NumberType, nodes: true, eval: func(env Env, a []Value) Value { return extreme(env, a, math.Min) }},
	"max":             {min: 1, max: -1, typ: NumberType, nodes: true, eval: func(env Env, a []Value) Value { return extreme(env, a, math.Max) }},
	"join":            {min: 1, max: -1, typ: TextType, nodes: true, eval: func(env Env, a []Value) Value { return join(env, text(env, &a[0]), a[1:]) }},
	"position":        {max: 1, typ: NumberType, eval: position},
	"index":           {typ: NumberType, foreign: "position(..)", eval: position},
	"indexed-repeat":  {min: 3, max: 11, counts: odd, nodes: true, eval: indexedRepeat},

	"string":        {min: 1, max: 1, typ: TextType, eval: func(env Env, a []Value) Value { return Str(text(env, &a[0])) }},
	"string-length": ownText(NumberType, func(s string) Value { return Num(float64(utf8.RuneCountInString(s))) }),
	"concat":        {max: -1, typ: TextType, nodes: true, eval: func(env Env, a []Value) Value { return join(env, "", a) }},
	"substr":        {min: 2, max: 3, typ: TextType, eval: substr},
	"substring-before": textual2(TextType, func(a, b string) Value {
		before, _, found := strings.Cut(a, b)
		if !found {
			return Str("")
		}
		return Str(before)
	}),
	"substring-after": textual2(TextType, func(a, b string) Value { _, after, _ := strings.Cut(a, b); return Str(after) }),
	"contains":        textual2(BoolType, func(a, b string) Value { return Boolean(strings.Contains(a, b)) }),
	"starts-with":     textual2(BoolType, func(a, b string) Value { return Boolean(strings.HasPrefix(a, b)) }),
	"ends-with":       textual2(BoolType, func(a, b string) Value { return Boolean(strings.HasSuffix(a, b)) }),
	"normalize-space": ownText(TextType, func(s string) Value { return Str(strings.Join(strings.Fields(s), " ")) }),
	"translate":       {min: 3, max: 3, typ: TextType, eval: translate},
	"regex":           {min: 2, max: 2, typ: BoolType, eval: regex},

	"number":  {min: 1, max: 1, typ: NumberType, eval: func(env Env, a []Value) Value { return Num(number(env, &a[0])) }},
	"int":     {min: 1, max: 1, typ: NumberType, eval: func(env Env, a []Value) Value { return Num(math.Trunc(number(env, &a[0]))) }},
	"round":   {min: 1, max: 2, typ: NumberType, numbers: true, eval: round},
	"abs":     numeric(math.Abs),
	"sqrt":    numeric(math.Sqrt),
	"exp":     numeric(math.Exp),
	"exp10":   numeric(func(x float64) float64 { return math.Pow(10, x) }),
	"log":     numeric(math.Log),
	"log10":   numeric(math.Log10),
	"sin":     numeric(math.Sin),
	"cos":     numeric(math.Cos),
	"tan":     numeric(math.Tan),
	"asin":    numeric(math.Asin),
	"acos":    numeric(math.Acos),
	"atan":    numeric(math.Atan),
	"atan2":   numeric2(math.Atan2),
	"pow":     numeric2(math.Pow),
	"pi":      constant(NumberType, func(Env) Value { return Num(math.Pi) }),
	"floor":   foreign(numeric(math.Floor), "int( )"),
	"ceiling": foreign(numeric(math.Ceil), "int( )"),

	"today":             constant(DateType, func(env Env) Value { return DateValue(math.Floor(wallDays(env.Now()))) }),
	"now":               constant(DateTimeType, func(env Env) Value { return DateTimeValue(float64(env.Now().UnixMilli()) / dayMilliseconds) }),
	"date":              {min: 1, max: 1, typ: DateType, eval: func(env Env, a []Value) Value { return reading(day, DateValue, env, a) }},
	"date-time":         {min: 1, max: 1, typ: DateTimeType, eval: func(env Env, a []Value) Value { return reading(moment, DateTimeValue, env, a) }},
	"decimal-date-time": {min: 1, max: 1, typ: NumberType, eval: func(env Env, a []Value) Value { return reading(moment, Num, env, a) }},
	"decimal-time":      {min: 1, max: 1, typ: NumberType, eval: func(env Env, a []Value) Value { return reading(timeOfDay, Num, env, a) }},
	"format-date":       {min: 2, max: 2, typ: TextType, eval: formatDate},
	"format-date-time":  {min: 2, max: 2, typ: TextType, eval: formatDate},

	"checklist":          {min: 2, max: -1, typ: BoolType, nodes: true, eval: checklist},
	"weighted-checklist": {min: 2, max: -1, counts: even, typ: BoolType, nodes: true, eval: weightedChecklist},

	"uuid":          {max: 1, typ: TextType, random: true, eval: uuid},
	"digest":        {min: 2, max: 3, typ: TextType, eval: digest},
	"base64-decode": {min: 1, max: 1, typ: TextType, eval: base64Decode},
	"distance":      {min: 1, max: -1, typ: NumberType, nodes: true, eval: distance},

	// These need what only a form client has.
	"random":         {typ: NumberType},
	"randomize":      {min: 1, max: 2},
	"pulldata":       {min: 4, max: 4},
	"instance":       {min: 1, max: 1},
	"current":        {},
	"jr:choice-name": {min: 2, max: 2, typ: TextType},
	"jr:itext":       {min: 1, max: 1, typ: TextType},
	"property":       {min: 1, max: 1, typ: TextType},
	"version":        {typ: TextType},
	"area":           {min: 1, max: -1, typ: NumberType},
	"enclosed-area":  {min: 1, max: -1, typ: NumberType},
	"geofence":       {min: 2, max: 2, typ: BoolType},
	"intersects":     {min: 1, max: 1, typ: BoolType},
	"extract-signed": {min: 2, max: 2, typ: TextType},
	"name":           {max: 1, typ: TextType},
	"local-name":     {max: 1, typ: TextType},
	"last":           {typ: NumberType},
	"id":             {min: 1, max: 1},
}

// foreign marks a function that Collect does not know.
func foreign(b builtin, instead string) builtin {
	b.foreign = instead
	return b
}

func odd(n int) bool  { return n%2 == 1 }
func even(n int) bool { return n%2 == 0 }

// whole gives a number as Java's intValue() does: cut, 0 for NaN, bounded.
func whole(f float64) int {
	const most = 1e9
	if f != f {
		return 0
	}
	return int(max(-most, min(most, f)))
}

func booleanFromString(env Env, a []Value) Value {
	s := text(env, &a[0])
	return Boolean(s == "1" || strings.EqualFold(s, "true"))
}

func selectedAt(env Env, a []Value) Value {
	list := text(env, &a[0])
	for n := whole(number(env, &a[1])); n >= 0; n-- {
		var word string
		if word, list = nextWord(list); word == "" || n == 0 {
			return Str(word)
		}
	}
	return Str("")
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

// count counts nodes: those that were left empty too, but not those that were
// not asked.
func count(_ Env, a []Value) Value {
	n := 0
	for _, v := range flat(a) {
		if v.kind != NotAsked {
			n++
		}
	}
	return Num(float64(n))
}

func countNonEmpty(_ Env, a []Value) Value {
	n := 0
	for _, v := range flat(a) {
		if !v.IsEmpty() {
			n++
		}
	}
	return Num(float64(n))
}

// sum adds up a node-set; what is no number does not count.
func sum(env Env, a []Value) Value {
	total := 0.0
	for _, v := range flat(a) {
		if f := number(env, &v); isNumber(f) {
			total += f
		}
	}
	return Num(total)
}

// extreme gives the smallest or largest number; NaN if there is none.
func extreme(env Env, a []Value, pick func(x, y float64) float64) Value {
	best := math.NaN()
	for _, v := range flat(a) {
		switch f := number(env, &v); {
		case !isNumber(f):
		case isNumber(best):
			best = pick(best, f)
		default:
			best = f
		}
	}
	return Num(best)
}

func join(env Env, separator string, a []Value) Value {
	values := flat(a)
	parts := make([]string, len(values))
	for i := range values {
		parts[i] = text(env, &values[i])
	}
	return Str(strings.Join(parts, separator))
}

func position(env Env, _ []Value) Value { return Num(float64(env.Position())) }

// indexedRepeat takes the n-th value of a node-set, counted from 1; the first
// if n is none, as Collect does.
func indexedRepeat(env Env, a []Value) Value {
	nodes, n := a[0].Nodes(), max(1, whole(number(env, &a[2])))
	if n > len(nodes) {
		return BlankValue()
	}
	return nodes[n-1]
}

// substr cuts from a 0-based start to before the end; both count from the end
// when negative.
func substr(env Env, a []Value) Value {
	runes := []rune(text(env, &a[0]))
	bound := func(v *Value) int {
		n := whole(number(env, v))
		if n < 0 {
			n += len(runes)
		}
		return max(0, min(len(runes), n))
	}
	from, to := bound(&a[1]), len(runes)
	if len(a) == 3 {
		to = bound(&a[2])
	}
	if from >= to {
		return Str("")
	}
	return Str(string(runes[from:to]))
}

func translate(env Env, a []Value) Value {
	from, to := []rune(text(env, &a[1])), []rune(text(env, &a[2]))
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
	}, text(env, &a[0])))
}

// regex matches the whole text. A pattern that is not known before is compiled
// each time; one that is not valid matches nothing.
func regex(env Env, a []Value) Value {
	re, err := compileRegex(text(env, &a[1]))
	return Boolean(err == nil && re.MatchString(text(env, &a[0])))
}

// round rounds as Collect does: to so many decimals of the shortest decimal
// that stands for the number, so that round(2.675, 2) is 2.68; halves go up,
// for negative numbers towards zero. More than 30 decimals give NaN, of a finite number.
func round(env Env, a []Value) Value {
	x, places := number(env, &a[0]), 0
	if len(a) == 2 {
		places = whole(number(env, &a[1]))
	}
	if finite := x-x == 0; finite && (places < -30 || places > 30) {
		return Num(math.NaN())
	}
	return Num(roundDecimal(x, places))
}

func roundDecimal(x float64, places int) float64 {
	if x-x != 0 { // NaN or infinite
		return x
	}
	// Digits and exponent of d.ddde±xx; the digits after those kept decide.
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(math.Abs(x), 'e', -1, 64), "e")
	exp, _ := strconv.Atoi(exponent)
	digits := strings.Replace(mantissa, ".", "", 1)
	keep := exp + 1 + places // how many digits stay
	if keep >= len(digits) {
		return x
	}
	if keep < 0 {
		return math.Copysign(0, x)
	}
	half := digits[keep:] == "5"
	kept := digits[:keep]
	if digits[keep] >= '5' && !(half && x < 0) {
		kept = increment(kept)
	}
	f, _ := strconv.ParseFloat("0"+kept+"e"+strconv.Itoa(-places), 64)
	return math.Copysign(f, x)
}

// increment adds one to a number in decimal digits.
func increment(digits string) string {
	b := []byte(digits)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != '9' {
			b[i]++
			return string(b)
		}
		b[i] = '0'
	}
	return "1" + string(b)
}

// reading makes a value of what is read from the first argument; blank if
// nothing can be.
func reading(read func(Env, *Value) (float64, bool), as func(float64) Value, env Env, a []Value) Value {
	if f, ok := read(env, &a[0]); ok {
		return as(f)
	}
	return BlankValue()
}

// checklist(min, max, v1, v2, ...) reports whether between min and max of the
// values are true; a bound below 0 does not bind.
func checklist(env Env, a []Value) Value {
	low, high, n := whole(number(env, &a[0])), whole(number(env, &a[1])), 0
	for _, v := range flat(a[2:]) {
		if v.Truth() {
			n++
		}
	}
	return Boolean((low < 0 || n >= low) && (high < 0 || n <= high))
}

// weightedChecklist(min, max, v1, w1, v2, w2, ...) reports whether the weights
// of those that are true add up to between min and max. Values and weights may
// be two node-sets.
func weightedChecklist(env Env, a []Value) Value {
	low, high, total := number(env, &a[0]), number(env, &a[1]), 0.0
	a = a[2:]
	if len(a) == 2 && a[0].kind == Nodes && a[1].kind == Nodes {
		a = paired(a[0].nodes, a[1].nodes)
	}
	for i := 0; i+1 < len(a); i += 2 {
		if a[i].Truth() {
			total += number(env, &a[i+1])
		}
	}
	return Boolean(total >= low && total <= high)
}

func paired(values, weights []Value) []Value {
	var out []Value
	for i := range min(len(values), len(weights)) {
		out = append(out, values[i], weights[i])
	}
	return out
}

// uuid gives a random UUID, or so many random letters and digits.
func uuid(env Env, a []Value) Value {
	if len(a) > 0 {
		const most = 1000
		n := max(0, min(most, whole(number(env, &a[0]))))
		var b strings.Builder
		for b.Len() < n {
			b.WriteString(rand.Text())
		}
		return Str(b.String()[:n])
	}
	var u [16]byte
	rand.Read(u[:]) // never fails
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return Str(fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]))
}

func digest(env Env, a []Value) Value {
	data := []byte(text(env, &a[0]))
	var sum []byte
	switch strings.ToUpper(text(env, &a[1])) {
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
	if len(a) == 3 && strings.EqualFold(text(env, &a[2]), "hex") {
		return Str(hex.EncodeToString(sum))
	}
	return Str(base64.StdEncoding.EncodeToString(sum))
}

func base64Decode(env Env, a []Value) Value {
	b, err := base64.StdEncoding.DecodeString(text(env, &a[0]))
	if err != nil || !utf8.Valid(b) {
		return BlankValue()
	}
	return Str(string(b))
}

// distance gives the length in metres of the path through geopoints ("lat lon
// ..."), by the haversine formula on a sphere of 6,378,100 m as JavaRosa does.
func distance(env Env, a []Value) Value {
	var points [][2]float64
	for _, v := range flat(a) {
		for _, part := range strings.Split(text(env, &v), ";") {
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
