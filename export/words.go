package export

// word is a heading or sentence in the workbook, by its key and language. It
// stands here and not in the catalogue of messages since it is part of the
// format of the workbook.
func (w *writer) word(key string) string {
	if t, ok := words[key]; ok {
		if w.report.Language == "en" {
			return t[1]
		}
		return t[0]
	}
	return key
}

var words = map[string][2]string{ // vi, en
	// sheets
	"sheet.sector":    {"TongHop_LoaiHinh", "By_type"},
	"sheet.superior":  {"TongHop_CapTren", "By_superior"},
	"sheet.structure": {"TongHop_CoCau", "By_structure"},
	"sheet.items":     {"TieuChi", "Criteria"},
	"sheet.detail":    {"ChiTiet", "Visits"},
	"sheet.good":      {"CachLamHay", "Good_practice"},
	"sheet.bad":       {"HanChe", "Shortcomings"},
	"sheet.advice":    {"KienNghi", "Recommendations"},
	"sheet.method":    {"PhuongPhap", "Method"},

	"title.sector":    {"Tổng hợp theo loại hình", "Summary by organisation type"},
	"title.superior":  {"Tổng hợp theo cấp trên", "Summary by superior committee"},
	"title.structure": {"Tổng hợp theo cơ cấu tổ chức", "Summary by structure"},
	"title.items":     {"Kết quả theo tiêu chí", "Results by criterion"},

	// summary columns
	"code": {"Mã", "Code"}, "group": {"Nhóm", "Group"}, "in_scope": {"Thuộc phạm vi", "In scope"}, "assigned": {"Đã phân công", "Assigned"},
	"observed": {"Đã dự", "Observed"}, "coverage": {"Tỷ lệ đã dự", "Coverage"}, "visits": {"Lượt dự", "Visits"}, "n": {"Có điểm (n)", "Graded (n)"},
	"not_graded": {"Chưa xếp điểm", "Not graded"}, "share": {"%", "%"}, "before": {"trước trần", "before caps"},
	"mean": {"Trung bình", "Mean"}, "sd": {"Độ lệch chuẩn", "SD"}, "min": {"Thấp nhất", "Lowest"}, "q1": {"Tứ phân vị 1", "Quartile 1"},
	"median": {"Trung vị", "Median"}, "q3": {"Tứ phân vị 3", "Quartile 3"}, "max": {"Cao nhất", "Highest"},
	"doubled": {"Chấm đôi", "Double-rated"}, "to_adjudicate": {"Cần phúc tra", "To adjudicate"}, "remark": {"Ghi chú", "Remark"},
	"small": {"dưới 5 lượt dự", "fewer than 5 visits"}, "overall": {"Toàn bộ", "Overall"},
	// criteria
	"item": {"Mục", "Item"}, "criterion": {"Tiêu chí", "Criterion"}, "section": {"Phần", "Section"}, "points": {"Điểm tối đa", "Points"},
	"item_n": {"Đã chấm (n)", "Rated (n)"}, "mean_share": {"Đạt so với tối đa", "Mean share of maximum"},
	"full": {"Đạt tối đa", "Full points"}, "full_share": {"% đạt tối đa", "% full"}, "zero": {"Không điểm", "No points"}, "zero_share": {"% không điểm", "% none"},
	"na": {"Không áp dụng", "Not applicable"}, "not_observed": {"Không quan sát được", "Not observed"}, "blank": {"Bỏ trống", "Blank"}, "not_asked": {"Không hỏi", "Not asked"},
	// detail
	"id": {"Mã phiếu", "Response"}, "unit": {"Mã đơn vị", "Unit"}, "unit_name": {"Đơn vị", "Unit name"}, "path": {"Trực thuộc", "Under"},
	"structure": {"Cơ cấu", "Structure"}, "sector": {"Mã loại hình", "Type code"}, "sector_label": {"Loại hình", "Type"}, "setting": {"Nơi sinh hoạt", "Setting"},
	"tags": {"Nhãn", "Tags"}, "role": {"Vai chấm", "Role"}, "observer": {"Người quan sát", "Observer"}, "version": {"Phiên bản mẫu", "Template version"},
	"state": {"Trạng thái", "State"}, "meeting_date": {"Ngày họp", "Meeting date"}, "received": {"Nhận lúc", "Received"},
	"earned": {"Điểm đạt", "Earned"}, "available": {"Điểm chấm được", "Available"}, "total": {"Tổng điểm", "Score"},
	"band_first": {"Mức trước trần", "Band before caps"}, "caps": {"Trần áp dụng", "Caps"}, "band_code": {"Mã mức", "Band code"}, "band": {"Xếp loại", "Band"},
	"deductions": {"Lý do trừ điểm", "Reason for deductions"}, "choice_label": {"nội dung", "label"},
	// findings
	"tag": {"Mã nhóm", "Tag"}, "tag_label": {"Nhóm", "Tag label"}, "text": {"Nội dung", "Text"}, "cause": {"Nguyên nhân", "Cause"},
	"owner": {"Người thực hiện", "Owner"}, "due": {"Thời hạn", "Due"}, "may_share": {"Được phổ biến", "May be shared"},
	// states and roles
	"state.submitted": {"đã gửi", "submitted"}, "state.approved": {"đã duyệt", "approved"}, "state.returned": {"trả lại", "returned"},
	"role.observer": {"quan sát", "observer"}, "role.second": {"quan sát thứ hai", "second"}, "role.self": {"tự chấm", "self"},
	"role.members": {"đảng viên", "members"}, "role.superior": {"cấp trên", "superior"}, "role.adjudicator": {"phúc tra", "adjudicator"},
	"reason.incomplete": {"còn mục bỏ trống", "a scored item is blank"}, "reason.too_few_available": {"quá ít điểm chấm được", "too few points available"},
	"reason.no_scheme": {"không chấm điểm", "not scored"},
	// charts
	"chart.bands": {"Xếp loại theo loại hình", "Bands by organisation type"}, "chart.sections": {"Mức đạt theo phần", "Mean share by section"},
	"chart.items": {"Mức đạt theo tiêu chí", "Mean share by criterion"},
	// method
	"method": {"Phương pháp và quy ước", "Method and conventions"}, "field": {"Nội dung", "Item"}, "value": {"Giá trị", "Value"},
	"m.round": {"Đợt khảo sát", "Round"}, "m.template": {"Mẫu phiếu, các phiên bản", "Template, versions"}, "m.dates": {"Thời gian", "Dates"},
	"m.made": {"Lập lúc", "Made at"}, "m.program": {"Chương trình", "Program"}, "m.tree": {"Cây tổ chức tính đến", "Tree as of"},
	"m.rows": {"Số dòng ở trang chi tiết", "Rows on the sheet of visits"}, "m.score": {"Cách tính điểm", "How the score is made"},
	"m.score.overall": {"Tổng = {total} × điểm đạt ÷ điểm chấm được; làm tròn một lần ở cuối, {decimals} chữ số thập phân, nửa lên theo trị tuyệt đối.",
		"Score = {total} × earned ÷ available; rounded once at the end, {decimals} decimals, half away from zero."},
	"m.score.section": {"Mỗi phần quy về tỷ lệ đạt ÷ chấm được, rồi cộng theo trọng số điểm của phần, nhân {total}; làm tròn một lần ở cuối, {decimals} chữ số thập phân.",
		"Each section as earned ÷ available, then weighted by the section's points, times {total}; rounded once at the end, {decimals} decimals."},
	"m.na": {"Mục không áp dụng", "Not applicable items"}, "m.na.rescale": {"không tính vào điểm chấm được", "leave the points available"},
	"m.na.full": {"tính đủ điểm", "count as fully earned"}, "m.na.zero": {"tính không điểm", "count as no points"},
	"m.min":   {"Điểm chấm được tối thiểu để xếp loại", "Points that must be available to be graded"},
	"m.bands": {"Các mức", "Bands"}, "m.cap": {"Trần", "Cap"}, "m.cap_max": {"cao nhất là", "at most"},
	"m.count": {"Đơn vị tính", "What is counted"},
	"m.count.text": {"Mỗi chi bộ tính một lần trong mỗi kỳ: lấy điểm phúc tra nếu có, nếu không lấy trung bình của người quan sát và người quan sát thứ hai; phiếu trả lại không tính. Với tiêu chí, lượt chấm đôi tính mỗi phiếu một nửa.",
		"A chapter counts once a period: the adjudicator's rating if there is one, else the mean of lead and second; returned ones do not count. For criteria each of two ratings counts one half."},
	"m.quantile": {"Tứ phân vị", "Quartiles"}, "m.quantile.text": {"Loại 7 của Hyndman và Fan (như QUARTILE.INC của Excel).", "Hyndman and Fan's type 7 (as Excel's QUARTILE.INC)."},
	"m.denominator": {"Mẫu số", "Denominators"},
	"m.denominator.text": {"Tỷ lệ đã dự = Đã dự ÷ Thuộc phạm vi. Tỷ lệ các mức = số lượt ÷ Có điểm (n). Tỷ lệ đạt tối đa, không điểm = số lượt ÷ Đã chấm (n).",
		"Coverage = Observed ÷ In scope. Shares of bands = count ÷ Graded (n). Full and none = count ÷ Rated (n)."},
	"m.marks":      {"Ký hiệu trong trang chi tiết", "Marks on the sheet of visits"},
	"m.marks.text": {"[z] không hỏi · [b] hỏi mà bỏ trống · [na] không áp dụng · [no] không quan sát được", "[z] not asked · [b] asked and left blank · [na] not applicable · [no] not observed"},
}
