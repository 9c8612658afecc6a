// Package expr is the expression language of forms: XPath 1.0 with ODK's
// functions, as XLSForm writes it, evaluated as ODK Collect does.
//
//	${present} div ${expected} >= 0.9
//	selected(${bodies}, 'youth') and not(${merged} = 'yes')
//	round((decimal-time(${actual_end}) - decimal-time(${actual_start})) * 1440)
//
// An expression is parsed once, compiled against the names of a form, which
// finds unknown names and operands that do not fit, and evaluated any number of
// times. Numbers are doubles. What is empty gives NaN as a number and "" as a
// text; comparisons with NaN are false, except that != is true.
//
// A reference into a repeat from outside stands for all its values; compared,
// it is true if any of them is. Location paths, last-saved values and the
// functions that only a form client can answer (instance, pulldata, randomize,
// jr:choice-name, random, area and a few more) parse and print but evaluate to
// blank, and compiling says so.
package expr
