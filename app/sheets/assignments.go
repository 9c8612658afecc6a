package sheets

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/survey"
)

// AssignmentRow is one row of a list of assignments. What is empty was left
// blank.
type AssignmentRow struct {
	Sheet    string              `json:"sheet"`
	Row      int                 `json:"row"` // as Excel shows it
	Unit     survey.UnitCode     `json:"unit,omitempty"`
	Observer string              `json:"observer,omitempty"` // the sign-in name
	Template survey.TemplateCode `json:"template,omitempty"`
	Role     survey.Role         `json:"role,omitempty"`
	Period   string              `json:"period,omitempty"`
	Due      survey.Date         `json:"due,omitempty"`
}

var assignmentColumns = []column{
	{"unit", []string{"Mã đơn vị", "Mã chi bộ", "Đơn vị", "Chi bộ", "Unit", "Unit code", "Chapter"}},
	{"observer", []string{"Người quan sát", "Tên đăng nhập", "Tài khoản", "Quan sát viên", "Observer", "Sign-in name", "Username", "Account"}},
	{"template", []string{"Mẫu phiếu", "Phiếu", "Mẫu", "Template", "Form"}},
	{"role", []string{"Vai trò", "Lượt chấm", "Role", "Rating"}},
	{"period", []string{"Kỳ", "Tháng", "Period", "Month"}},
	{"due", []string{"Hạn", "Ngày", "Hạn quan sát", "Due", "Due date", "Date"}},
}

// ratingWords are what people write for the role of a rating.
var ratingWords = map[survey.Role][]string{
	survey.RoleObserver:    {"Quan sát", "Chính", "Quan sát chính", "Observer", "Lead", "First"},
	survey.RoleSecond:      {"Chấm lần hai", "Thứ hai", "Lần hai", "Độc lập", "Second", "Second rating"},
	survey.RoleSelf:        {"Tự chấm", "Self"},
	survey.RoleMembers:     {"Đảng viên", "Thành viên", "Members"},
	survey.RoleSuperior:    {"Cấp trên", "Superior"},
	survey.RoleAdjudicator: {"Phân xử", "Adjudicator"},
}

// ReadAssignments reads a list of assignments from a workbook. It needs columns
// with the unit and the observer. The problems are about single cells; a row with
// one is given too, without what could not be read.
func ReadAssignments(b []byte) ([]AssignmentRow, survey.Problems, error) {
	t, err := read(b, assignmentColumns, [][]string{{"unit"}, {"observer"}})
	if err != nil {
		return nil, nil, err
	}
	var out []AssignmentRow
	var ps survey.Problems
	for _, l := range t.rows {
		a := AssignmentRow{Sheet: t.sheet, Row: l.number, Unit: survey.UnitCode(t.cell(l, "unit")), Observer: strings.ToLower(t.cell(l, "observer")),
			Template: survey.TemplateCode(t.cell(l, "template")), Period: t.cell(l, "period")}
		for id, value := range map[string]string{"unit": string(a.Unit), "observer": a.Observer} {
			if value == "" {
				ps = append(ps, t.problem(l, id, "sheet.blank", ""))
			}
		}
		role := t.cell(l, "role")
		var known bool
		if a.Role, known = ratingOf(role); !known {
			ps = append(ps, t.problem(l, "role", "scheme.role", role))
		}
		due := t.cell(l, "due")
		if a.Due, known = dayOf(due); !known {
			ps = append(ps, t.problem(l, "due", "sheet.date", due))
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, nil, &survey.Error{Kind: survey.Invalid, Code: "sheet.empty", Args: survey.Args{"sheet": t.sheet}}
	}
	slices.SortStableFunc(ps, func(x, y survey.Problem) int { return x.Place.Row - y.Place.Row })
	return out, ps, nil
}

func ratingOf(text string) (survey.Role, bool) {
	if text == "" {
		return survey.RoleObserver, true
	}
	for role, words := range ratingWords {
		if key(text) == key(string(role)) || slices.ContainsFunc(words, func(w string) bool { return key(w) == key(text) }) {
			return role, true
		}
	}
	return "", false
}

// dayOf reads a day as people and Excel write it: the day before the month, as
// in Vietnam, the year first, or the number of days that Excel keeps.
func dayOf(text string) (survey.Date, bool) {
	if text == "" {
		return 0, true
	}
	for _, layout := range []string{"2006-01-02", "2/1/2006", "2-1-2006", "2.1.2006"} {
		if at, err := time.Parse(layout, text); err == nil {
			return survey.DateOf(at), true
		}
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 20000 && n < 100000 {
		if at, err := excelize.ExcelDateToTime(n, false); err == nil {
			return survey.DateOf(at), true
		}
	}
	return 0, false
}

// assignmentTemplate is what the workbook to fill in says, by language.
var assignmentTemplate = map[string]struct {
	sheet, help string
	headers     []string
	lines       [][]string
}{
	"vi": {"Phân công", "Hướng dẫn", []string{"Mã đơn vị", "Người quan sát", "Mẫu phiếu", "Vai trò", "Kỳ", "Hạn"}, [][]string{
		{"Mã đơn vị", "Bắt buộc. Đơn vị được quan sát."},
		{"Người quan sát", "Bắt buộc. Tên đăng nhập của người được phân công."},
		{"Mẫu phiếu", "Mã mẫu phiếu. Để trống là mẫu chính của đợt."},
		{"Vai trò", "Để trống là Quan sát. Chấm lần hai là lượt chấm độc lập thứ hai."},
		{"Kỳ", "Với đợt theo tháng: 2018-03. Để trống thì lấy theo hạn."},
		{"Hạn", "Ngày/tháng/năm, ví dụ 25/3/2018. Có thể để trống."},
		{"Nhập lại", "Nhập lại cùng một tệp không tạo phân công thứ hai."}}},
	"en": {"Assignments", "Help", []string{"Unit", "Observer", "Template", "Role", "Period", "Due"}, [][]string{
		{"Unit", "Needed. The code of the unit to be visited."},
		{"Observer", "Needed. The sign-in name of who is to go."},
		{"Template", "Code of the form. Blank is the round's main form."},
		{"Role", "Blank is Observer. Second is a blind second rating."},
		{"Period", "For a monthly round: 2018-03. Blank follows from the due date."},
		{"Due", "Day/month/year, such as 25/3/2018. May be blank."},
		{"Importing again", "The same file imported again makes no second assignment."}}},
}

// AssignmentTemplate writes the workbook to fill in with assignments, in the
// language.
func AssignmentTemplate(lang string) ([]byte, error) {
	words, ok := assignmentTemplate[lang]
	if !ok {
		words = assignmentTemplate["en"]
	}
	f := excelize.NewFile()
	defer f.Close()
	text, err := f.NewStyle(&excelize.Style{NumFmt: 49}) // codes such as 007 stay texts
	if err != nil {
		return nil, err
	}
	head, err := f.NewStyle(&excelize.Style{NumFmt: 49, Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDE8F3"}}})
	if err != nil {
		return nil, err
	}
	_, err = f.NewSheet(words.help)
	steps := []error{err, f.SetSheetName("Sheet1", words.sheet), f.SetColStyle(words.sheet, "A:F", text), f.SetColWidth(words.sheet, "A", "F", 18),
		f.SetSheetRow(words.sheet, "A1", &words.headers), f.SetCellStyle(words.sheet, "A1", "F1", head),
		f.SetPanes(words.sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
		f.SetColWidth(words.help, "A", "A", 20), f.SetColWidth(words.help, "B", "B", 80)}
	for i, l := range words.lines {
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		steps = append(steps, f.SetSheetRow(words.help, cell, &l))
	}
	for _, err := range steps {
		if err != nil {
			return nil, err
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
