// Package expr is the expression language of forms: XPath 1.0 with ODK's
// functions, as XLSForm writes it, evaluated as ODK Collect does.
//
//	${present} div ${expected} >= 0.9
//	selected(${bodies}, 'youth') and not(${merged} = 'yes')
//	round((decimal-time(${actual_end}) - decimal-time(${actual_start})) * 1440)
//
// An expression is parsed once, compiled against the names of a form, which
// finds unknown names and operands that do not fit, and evaluated any number of
// times. fixtures/expressions.json shows each rule by example.
//
// # Values
//
// Numbers are doubles. What is empty, blank or not asked alike, is "" as a text
// and NaN as a number; comparisons with NaN are false, except that != is true.
// Not asked stays what it is where a value is only passed on: by a reference,
// if() and coalesce(). Two numbers closer than 1e-12 are equal.
//
// A reference into a repeat from outside stands for all its values: compared,
// it is true if any of them is; as a single value it is the first. sum(), min()
// and max() pass over what is no number, count() over what was not asked.
//
// Dates are days of the host's calendar and count as days since 1970-01-01,
// times as fractions of a day. Beside a date, a moment counts as its day; two
// moments compare exactly, and so do two times, where Collect looks at their
// day alone: compiling warns of it. Texts are never read as dates by < and >.
//
// # Functions
//
//	logic      if coalesce once not boolean boolean-from-string true false
//	           checklist weighted-checklist
//	choices    selected is-selected selected-at count-selected
//	repeats    count count-non-empty sum min max join position index
//	           indexed-repeat (of one repeat, from outside of it)
//	text       string concat substr substring-before substring-after contains
//	           starts-with ends-with string-length normalize-space translate
//	           regex (RE2 syntax; the whole text must match)
//	numbers    number int round abs pow sqrt exp exp10 log log10 pi sin cos tan
//	           asin acos atan atan2 floor ceiling
//	dates      today now date date-time decimal-date-time decimal-time
//	           format-date format-date-time
//	other      uuid digest base64-decode distance
//	kept only  pulldata instance current randomize random jr:choice-name jr:itext
//	           property version area enclosed-area geofence intersects
//	           extract-signed name local-name last id
//
// Those kept only, location paths (but for position(..)) and last-saved values
// parse and print, evaluate to blank, and compiling says so. index, floor,
// ceiling and the union operator | work, with a warning that Collect does not
// know them. round() rounds halves up, those of negative numbers towards zero.
// A host adds functions of its own through Scope.
//
// Where JavaRosa errs the rule is followed, not the error: round(-18, -1) is
// -20, max(-3, -2) is -2, infinities equal themselves, and large or small
// numbers are written without exponents.
package expr
