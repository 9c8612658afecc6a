package expr

import "strings"

// SyntaxError says where an expression stops making sense. Pos is a 0-based
// rune offset.
type SyntaxError struct {
	Pos     int
	Code    string
	Arg     string // what stands there
	Instead string // what to write instead, if it can be told
}

// Error gives the English sentence.
func (e *SyntaxError) Error() string { return e.Message("en") }

// Message gives the sentence in "vi" or "en".
func (e *SyntaxError) Message(lang string) string { return say(lang, e.Code, e.Arg, e.Instead) }

// Severity grades a problem.
type Severity uint8

const (
	// Warning: it compiles, but is likely not what was meant.
	Warning Severity = iota
	// Error: it does not compile.
	Error
)

// Problem is one thing wrong with an expression that parses. Pos and Len are
// the 0-based offset and the length, in runes, of what it is about; Arg and
// Instead are what the message names; Suggestion is what was likely meant, to
// be written for it.
type Problem struct {
	Pos, Len   int
	Code       string
	Severity   Severity
	Arg        string
	Instead    string
	Suggestion string
}

// Message gives the sentence in "vi" or "en", without the suggestion.
func (p Problem) Message(lang string) string { return say(lang, p.Code, p.Arg, p.Instead) }

// messages have {arg} and {instead} where these stand.
var messages = map[string][2]string{ // vi, en
	"too_long":             {"Công thức quá dài.", "The formula is too long."},
	"too_deep":             {"Công thức lồng nhau quá sâu.", "The formula is nested too deep."},
	"empty":                {"Chưa có công thức.", "There is no formula."},
	"ends_early":           {"Công thức kết thúc giữa chừng.", "The formula ends in the middle."},
	"unexpected":           {"“{arg}” không đứng ở đây được; có thể thiếu toán tử hoặc dấu phẩy ở trước.", "“{arg}” cannot stand here; an operator or comma may be missing before it."},
	"not_closed":           {"Dấu ngoặc mở ở đây chưa được đóng.", "The bracket that opens here is not closed."},
	"not_opened":           {"Dấu ngoặc đóng này không có dấu mở.", "This closing bracket was never opened."},
	"text_not_closed":      {"Đoạn chữ bắt đầu bằng {arg} chưa được đóng.", "The text that begins with {arg} is not closed."},
	"number":               {"“{arg}” không phải số.", "“{arg}” is not a number."},
	"decimal_comma":        {"Số thập phân dùng dấu chấm, ví dụ 0.5.", "Decimals are written with a point, as in 0.5."},
	"reference":            {"“{arg}” không phải tham chiếu; viết ${tên_mục}.", "“{arg}” is not a reference; write ${item_name}."},
	"reference_not_closed": {"Tham chiếu ${ chưa có dấu }.", "The reference ${ has no closing }."},
	"reference_spaces":     {"Bỏ dấu cách trong ngoặc: viết ${{arg}}.", "Remove the spaces inside the braces: write ${{arg}}."},
	"slip":                 {"“{arg}” không dùng ở đây; viết “{instead}”.", "“{arg}” is not used here; write “{instead}”."},
	"character":            {"Ký tự “{arg}” không dùng trong công thức.", "The character “{arg}” has no meaning in a formula."},

	"unknown_name":     {"Không có mục “{arg}”.", "There is no item “{arg}”."},
	"unknown_function": {"Không có hàm “{arg}”.", "There is no function “{arg}”."},
	"argument_count":   {"Hàm {arg} cần {instead} tham số.", "The function {arg} takes {instead} arguments."},
	"bare_name":        {"“{arg}” không phải tham chiếu; viết ${{arg}}, hoặc thêm () nếu là hàm.", "“{arg}” is not a reference; write ${{arg}}, or add () if it is a function."},
	"no_self":          {"Dấu chấm (.) chỉ dùng khi công thức thuộc về một mục có giá trị.", "The dot (.) stands for an item's own value, and there is none here."},
	"unsupported":      {"{arg} được giữ nguyên nhưng ở đây luôn cho giá trị trống.", "{arg} is kept as it stands but is always blank here."},
	"not_in_collect":   {"{arg} tính được ở đây nhưng ODK Collect không có; nên dùng {instead}.", "{arg} works here, but ODK Collect does not know it; better use {instead}."},
	"union":            {"{arg} tính được ở đây nhưng ODK Collect không biết dấu |; hãy tính riêng từng tham chiếu, ví dụ sum(…) + sum(…).", "{arg} works here, but ODK Collect does not know |; use each reference alone, as in sum(…) + sum(…)."},
	"not_constant":     {"{arg} cho kết quả khác nhau mỗi lần nên không nên dùng trong phép tính.", "{arg} gives another result every time and should not be calculated with."},
	"quoted_reference": {"{arg} là đoạn chữ, không phải giá trị của mục; bỏ dấu nháy.", "{arg} is a text, not the value of the item; remove the quotes."},
	"bad_regex":        {"Biểu thức chính quy không hợp lệ: {arg}", "The regular expression is not valid: {arg}"},

	"compare_text":    {"{arg} là chữ nên không so sánh lớn nhỏ với số được.", "{arg} is a text, so it cannot be compared by size."},
	"date_literal":    {"{arg} là chữ nên không so sánh lớn nhỏ được; viết {instead}.", "{arg} is a text, so it cannot be compared by size; write {instead}."},
	"never_equal":     {"{arg} không bao giờ bằng {instead}.", "{arg} is never equal to {instead}."},
	"arithmetic_text": {"{arg} không phải số nên không tính toán được.", "{arg} is not a number, so it cannot be calculated with."},
	"date_arithmetic": {"{arg} không có nghĩa: ngày chỉ trừ cho ngày, cộng hoặc trừ số ngày.", "{arg} has no meaning: dates can be subtracted, and days added or taken off."},
	"day_only":        {"Ở đây ODK Collect chỉ xét ngày của {arg}, bỏ qua giờ; viết {instead}.", "ODK Collect looks only at the day of {arg} here, not at the time; write {instead}."},
	"choices_equal":   {"{arg} là mục chọn nhiều: dùng selected({arg}, '…') thay cho dấu =.", "{arg} is a select_multiple: use selected({arg}, '…') instead of =."},
	"choices_compare": {"{arg} là mục chọn nhiều nên không so sánh lớn nhỏ được; dùng count-selected().", "{arg} is a select_multiple and cannot be compared by size; use count-selected()."},
	"not_choices":     {"{arg} không phải mục chọn.", "{arg} is not the answer to a choice question."},
	"selected_text":   {"Tên lựa chọn phải là chữ: viết {instead} thay cho {arg}.", "The name of a choice is a text: write {instead} instead of {arg}."},
	"many_values":     {"{arg} nằm trong nhóm lặp nên có nhiều giá trị; ở đây chỉ giá trị đầu được dùng. Dùng sum(), count() hoặc join().", "{arg} is inside a repeat and has many values; only the first is used here. Use sum(), count() or join()."},
	"many_compared":   {"{arg} nằm trong nhóm lặp nên có nhiều giá trị; so sánh đúng nếu một giá trị bất kỳ thoả mãn, còn ODK Collect thì báo lỗi.", "{arg} is inside a repeat and has many values; the comparison is true if any of them fits, and ODK Collect fails here."},
	"not_nodes":       {"{arg}() cần tham chiếu tới các giá trị trong nhóm lặp, không phải {instead}.", "{arg}() needs a reference to the values of a repeat, not {instead}."},
}

// say gives a sentence; the code itself when there is none for it.
func say(lang, code, arg, instead string) string {
	m, ok := messages[code]
	if !ok {
		return code
	}
	s := m[1]
	if lang == "vi" {
		s = m[0]
	}
	return strings.NewReplacer("{arg}", arg, "{instead}", instead).Replace(s)
}
