package sheets

import (
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/khaosat/khaosat/survey"
)

// PersonRow is one row of a list of people. What is empty was left blank.
type PersonRow struct {
	Sheet    string             `json:"sheet"`
	Row      int                `json:"row"` // as Excel shows it
	Name     string             `json:"name,omitempty"`
	FullName string             `json:"full_name,omitempty"`
	Role     survey.AccountRole `json:"role,omitempty"`
	Scope    survey.UnitCode    `json:"scope,omitempty"`
	Home     survey.UnitCode    `json:"home,omitempty"`
	Language string             `json:"language,omitempty"`
}

var peopleColumns = []column{
	{"name", []string{"Tên đăng nhập", "Tài khoản", "Tên tài khoản", "Sign-in name", "Login", "User", "Username", "Account", "User name"}},
	{"full_name", []string{"Họ và tên", "Họ tên", "Tên đầy đủ", "Tên", "Full name", "Name", "Person"}},
	{"role", []string{"Vai trò", "Quyền", "Role"}},
	{"scope", []string{"Phạm vi", "Mã phạm vi", "Đơn vị phụ trách", "Scope"}},
	{"home", []string{"Nơi sinh hoạt", "Mã nơi sinh hoạt", "Chi bộ", "Mã chi bộ", "Đơn vị", "Mã đơn vị", "Own unit", "Home", "Home unit", "Unit"}},
	{"language", []string{"Ngôn ngữ", "Language", "Lang"}},
}

// roleWords are what people write for a role.
var roleWords = map[survey.AccountRole][]string{
	survey.Admin:      {"Quản trị", "Quản trị viên", "Administrator", "Admin"},
	survey.Manager:    {"Quản lý đợt", "Quản lý", "Manager"},
	survey.Analyst:    {"Phân tích", "Chuyên viên phân tích", "Chuyên viên tổng hợp", "Analyst"},
	survey.Reviewer:   {"Duyệt phiếu", "Người duyệt", "Reviewer"},
	survey.Observer:   {"Quan sát viên", "Người quan sát", "Người dự", "Observer"},
	survey.Respondent: {"Người trả lời", "Người trả lời (bí thư, chi ủy)", "Bí thư", "Bí thư chi bộ", "Chi ủy", "Respondent", "Respondent (secretary)", "Secretary"},
}

// ReadPeople reads a list of people from a workbook. It needs a column with the
// full name or the sign-in name. The problems are about single cells; a row with
// one is given too, without what could not be read.
func ReadPeople(b []byte) ([]PersonRow, survey.Problems, error) {
	t, err := read(b, peopleColumns, [][]string{{"full_name", "name"}})
	if err != nil {
		return nil, nil, err
	}
	var out []PersonRow
	var ps survey.Problems
	for _, l := range t.rows {
		p := PersonRow{Sheet: t.sheet, Row: l.number, Name: strings.ToLower(t.cell(l, "name")), FullName: t.cell(l, "full_name"), Home: survey.UnitCode(t.cell(l, "home"))}
		if p.Name == "" && p.FullName == "" {
			ps = append(ps, t.problem(l, "full_name", "person.no_name", ""))
		}
		role := t.cell(l, "role")
		var known bool
		if p.Role, known = roleOf(role); !known {
			bad := t.problem(l, "role", "person.role", role)
			bad.Suggestion = closestRole(role)
			ps = append(ps, bad)
		}
		switch scope := t.cell(l, "scope"); key(scope) {
		case "toanbo", "tatca", "everything", "all":
		default:
			p.Scope = survey.UnitCode(scope)
		}
		switch language := t.cell(l, "language"); key(language) {
		case "":
		case "vi", "vn", "tiengviet", "vietnamese":
			p.Language = "vi"
		case "en", "tienganh", "english":
			p.Language = "en"
		default:
			ps = append(ps, t.problem(l, "language", "person.language", language))
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, nil, &survey.Error{Kind: survey.Invalid, Code: "sheet.empty", Args: survey.Args{"sheet": t.sheet}}
	}
	return out, ps, nil
}

func roleOf(text string) (survey.AccountRole, bool) {
	if text == "" {
		return "", true
	}
	for role, words := range roleWords {
		if slices.ContainsFunc(words, func(w string) bool { return key(w) == key(text) }) {
			return role, true
		}
	}
	return "", false
}

// closestRole suggests a role as the writer would write it.
func closestRole(text string) string {
	var words, folded []string
	for _, role := range survey.AccountRoles {
		for _, w := range roleWords[role] {
			words, folded = append(words, w), append(folded, key(w))
		}
	}
	if i := slices.Index(folded, survey.Closest(key(text), folded)); i >= 0 {
		return words[i]
	}
	return ""
}

// peopleTemplate is what the workbook to fill in says, by language.
var peopleTemplate = map[string]struct {
	sheet, help string
	headers     []string
	lines       [][2]string
}{
	"vi": {"Tài khoản", "Hướng dẫn", []string{"Họ và tên", "Tên đăng nhập", "Vai trò", "Phạm vi", "Nơi sinh hoạt", "Ngôn ngữ"}, [][2]string{
		{"Họ và tên", "Bắt buộc nếu không ghi tên đăng nhập."},
		{"Tên đăng nhập", "Chữ thường không dấu, số, dấu chấm, gạch. Để trống thì lấy từ họ tên: Nguyễn Thị Ánh → nguyen.thi.anh."},
		{"Vai trò", "Để trống là Quan sát viên. Chọn trong danh sách."},
		{"Phạm vi", "Mã đơn vị mà vai trò có hiệu lực, cùng mọi đơn vị bên dưới. Để trống là toàn bộ."},
		{"Nơi sinh hoạt", "Mã chi bộ nơi người này sinh hoạt: không được phân công chấm chính nơi đó."},
		{"Ngôn ngữ", "vi hoặc en. Để trống thì theo thiết bị."},
		{"Nhập lại", "Nhập lại cùng một tệp không tạo tài khoản thứ hai. Ô để trống giữ nguyên điều đã lưu."}}},
	"en": {"People", "Help", []string{"Full name", "Sign-in name", "Role", "Scope", "Own unit", "Language"}, [][2]string{
		{"Full name", "Needed if there is no sign-in name."},
		{"Sign-in name", "Lower-case letters without diacritics, digits, dots, dashes. If blank it is made of the full name: Nguyễn Thị Ánh → nguyen.thi.anh."},
		{"Role", "Blank is Observer. Choose from the list."},
		{"Scope", "Code of the unit on which, with everything under it, the role holds. Blank is everything."},
		{"Own unit", "Code of the unit the person belongs to: nobody is assigned to the own unit."},
		{"Language", "vi or en. Blank is as the device says."},
		{"Importing again", "The same file imported again makes no second account. A blank cell leaves what is stored."}}},
}

// PeopleTemplate writes the workbook to fill in with people, in the language.
func PeopleTemplate(lang string) ([]byte, error) {
	words, ok := peopleTemplate[lang]
	if !ok {
		words = peopleTemplate["en"]
		lang = "en"
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
	wrap, err := f.NewStyle(&excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	if err != nil {
		return nil, err
	}
	var roles []string
	for _, r := range survey.AccountRoles {
		w := roleWords[r][0]
		if lang == "en" {
			w = string(r)
		}
		roles = append(roles, w)
	}
	choice := excelize.NewDataValidation(true)
	choice.Sqref = "C2:C20000"
	_, err = f.NewSheet(words.help)
	steps := []error{err, f.SetSheetName("Sheet1", words.sheet),
		f.SetColStyle(words.sheet, "A:F", text), f.SetColWidth(words.sheet, "A", "A", 28), f.SetColWidth(words.sheet, "B", "F", 18),
		f.SetSheetRow(words.sheet, "A1", &words.headers), f.SetCellStyle(words.sheet, "A1", "F1", head),
		f.SetPanes(words.sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
		choice.SetDropList(roles), f.AddDataValidation(words.sheet, choice),
		f.SetColWidth(words.help, "A", "A", 20), f.SetColWidth(words.help, "B", "B", 80), f.SetColStyle(words.help, "A:B", wrap)}
	for i, l := range words.lines {
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		row := []string{l[0], l[1]}
		steps = append(steps, f.SetSheetRow(words.help, cell, &row))
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
