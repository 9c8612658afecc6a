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
	"sheet.cover":      {"TrangBia", "Cover"},
	"sheet.rollup":     {"TongHop_NhomLoaiHinh", "By_type_group"},
	"sheet.superior_2": {"TongHop_CapTren_2", "By_superior_2"},
	"sheet.superior_3": {"TongHop_CapTren_3", "By_superior_3"},
	"sheet.parent":     {"TongHop_CapTrucTiep", "By_direct_superior"},
	"sheet.setting":    {"TongHop_NoiSinhHoat", "By_setting"},
	"sheet.tag":        {"TongHop_Nhan", "By_tag"},
	"sheet.observer":   {"TongHop_NguoiQuanSat", "By_observer"},
	"sheet.period":     {"TongHop_Ky", "By_period"},
	"sheet.self":       {"TuCham_QuanSat", "Self_and_observed"},
	"sheet.trust":      {"DoTinCay", "Reliability"},
	"sheet.progress":   {"TienDo", "Progress"},
	"sheet.behind":     {"ChamTienDo", "Behind"},
	"sheet.late":       {"DenSau", "Late"},
	"sheet.codebook":   {"BangMa", "Codebook"},

	"title.cover":      {"Báo cáo tổng hợp", "Summary report"},
	"title.rollup":     {"Tổng hợp theo nhóm loại hình", "Summary by group of types"},
	"title.superior_2": {"Tổng hợp theo cấp trên, bậc 2", "Summary by superior committee, second level"},
	"title.superior_3": {"Tổng hợp theo cấp trên, bậc 3", "Summary by superior committee, third level"},
	"title.parent":     {"Tổng hợp theo cấp trên trực tiếp", "Summary by direct superior"},
	"title.setting":    {"Tổng hợp theo nơi sinh hoạt", "Summary by setting"},
	"title.tag":        {"Tổng hợp theo nhãn", "Summary by tag"},
	"title.observer":   {"Tổng hợp theo người quan sát", "Summary by observer"},
	"title.period":     {"Tổng hợp theo kỳ", "Summary by period"},
	"title.self":       {"Tự chấm so với quan sát", "Self scores beside observed ones"},
	"title.trust":      {"Độ tin cậy của việc chấm điểm", "How far the ratings can be trusted"},
	"title.progress":   {"Tiến độ theo cấp trên", "Progress by superior committee"},
	"title.behind":     {"Người quan sát chậm tiến độ", "Observers who are behind"},
	"title.late":       {"Phiếu đến hoặc thay đổi sau thời điểm chốt", "Responses that came in or changed after the cut-off"},
	"title.codebook":   {"Bảng mã các cột của trang chi tiết", "Codebook of the sheet of visits"},

	"about.sheet.detail": {"Mỗi phiếu một dòng: đơn vị, các câu trả lời, điểm, xếp loại và lý do trừ điểm", "One row a response: unit, answers, points, band and reasons for deductions"},
	"about.sheet.good":   {"Cách làm hay, theo nhóm và đơn vị", "Good practice, by tag and unit"},
	"about.sheet.bad":    {"Hạn chế và nguyên nhân", "Shortcomings and causes"},
	"about.sheet.advice": {"Kiến nghị: người thực hiện, thời hạn, tình trạng", "Recommendations: owner, due date, status"},

	"contents": {"Các trang", "Sheets"}, "key_figures": {"Số liệu chính", "Key figures"}, "count": {"Số lượng", "Count"},
	"no_group": {"(không có)", "(none)"}, "chart.bands_all": {"Số lượt theo xếp loại", "Visits by band"},
	"mean_low": {"TB: cận dưới 95 %", "Mean: 95 % from"}, "mean_high": {"TB: cận trên 95 %", "Mean: 95 % to"},
	"m.cutoff": {"Chốt số liệu lúc", "Figures as of"}, "m.narrowed": {"Chỉ gồm", "Only"},

	// progress
	"visited": {"Đã dự", "Visited"}, "submitted": {"Chờ duyệt", "To review"}, "returned": {"Đã trả lại", "Returned"}, "approved": {"Đã duyệt", "Approved"},
	"overdue": {"Quá hạn", "Overdue"}, "oldest": {"Hạn lâu nhất", "Oldest due"},
	// self scores
	"period": {"Kỳ", "Period"}, "observed_total": {"Điểm quan sát", "Observed score"}, "observed_band": {"Xếp loại quan sát", "Observed band"},
	"self_total": {"Điểm tự chấm", "Self score"}, "self_band": {"Xếp loại tự chấm", "Self band"}, "self_difference": {"Chênh lệch (tự chấm − quan sát)", "Difference (self − observed)"},
	// late
	"late_at": {"Lúc", "At"}, "late_what": {"Thay đổi", "Change"}, "late.new": {"phiếu mới", "new"}, "late.sent_again": {"gửi lại", "sent again"}, "late.reviewed": {"đổi trạng thái duyệt", "reviewed"},
	// codebook
	"column": {"Cột", "Column"}, "question": {"Câu hỏi", "Question"}, "kind": {"Dạng", "Kind"}, "choice_code": {"Mã lựa chọn", "Choice"}, "choice": {"Lựa chọn", "Choice label"},
	"choice_points": {"Điểm", "Points"}, "asked_when": {"Chỉ hỏi khi", "Asked when"},
	"kind.text": {"văn bản", "text"}, "kind.integer": {"số nguyên", "integer"}, "kind.decimal": {"số thập phân", "decimal"}, "kind.date": {"ngày", "date"}, "kind.time": {"giờ", "time"},
	"kind.datetime": {"ngày giờ", "date and time"}, "kind.select_one": {"chọn một", "choose one"}, "kind.select_multiple": {"chọn nhiều", "choose many"}, "kind.rubric": {"thang mức", "rubric"},
	"kind.calculate": {"tính toán", "computed"}, "kind.image": {"ảnh", "photo"}, "kind.geopoint": {"vị trí", "location"},
	// trust
	"trust.pairs": {"Hai người chấm cùng một buổi", "Two observers of one meeting"}, "figure": {"Trị số", "Figure"}, "low": {"Cận dưới 95 %", "95 % from"}, "high": {"Cận trên 95 %", "95 % to"},
	"trust.ratings": {"Phiếu quan sát có điểm", "Graded ratings"}, "trust.doubled": {"Buổi có hai phiếu có điểm", "Visits with two graded ratings"},
	"trust.difference": {"Điểm người thứ hai trừ người thứ nhất", "The second's score less the lead's"}, "trust.within": {"Tỷ lệ buổi lệch không quá 10 điểm", "Share of visits at most ten points apart"},
	"trust.stratified": {"Điểm trung bình theo cơ cấu loại hình (phân tầng sau)", "Mean weighted by type (post-stratified)"}, "trust.covered": {"Phần đơn vị được phản ánh", "Share of units it speaks for"},
	"trust.parts": {"Số nhóm người quan sát không nối với nhau", "Groups of observers that are not linked"}, "trust.between": {"Phương sai giữa người quan sát", "Variance between observers"},
	"trust.inside":    {"Phương sai của một người", "Variance of one observer's ratings"},
	"trust.agreement": {"Mức độ thống nhất theo tiêu chí", "Agreement by criterion"},
	"trust.agreement.note": {"Kappa và AC2 dùng trọng số bậc hai; alpha là của Krippendorff. Quy ước: alpha dưới 0,667 chưa dùng được, từ 0,8 là tốt.",
		"Kappa and AC2 have quadratic weights; alpha is Krippendorff's. By convention alpha below 0.667 is not usable, from 0.8 it is good."},
	"pairs": {"Cặp", "Pairs"}, "one_sided": {"Chỉ một bên chấm", "One side only"}, "exact": {"Trùng khớp", "Exact"}, "adjacent": {"Lệch tối đa 1 mức", "Within one level"},
	"kappa": {"Kappa", "Kappa"}, "ac1": {"AC1", "AC1"}, "ac2": {"AC2", "AC2"}, "alpha_ordinal": {"Alpha thứ bậc", "Alpha, ordinal"}, "alpha_interval": {"Alpha khoảng", "Alpha, interval"},
	"too_few": {"quá ít", "too few"}, "trust.consistency": {"Tính nhất quán của các tiêu chí", "Consistency of the criteria"},
	"item_rest": {"Tương quan với phần còn lại", "Correlation with the rest"}, "alpha_without": {"Alpha khi bỏ mục", "Alpha without it"},
	"trust.adjusted":      {"Điểm trung bình trước và sau khi trừ độ nghiêm của người quan sát", "Means before and after observers' severity is taken out"},
	"trust.adjusted.note": {"Trung bình gốc tính trên từng phiếu, khác với bảng tổng hợp tính mỗi chi bộ một lần.", "Raw means are of ratings; the summaries count each chapter once."},
	"ratings":             {"Phiếu", "Ratings"}, "observers": {"Người quan sát", "Observers"}, "raw_mean": {"Trung bình gốc", "Raw mean"}, "adjusted_mean": {"Đã điều chỉnh", "Adjusted"},
	"trust.observers": {"Độ nghiêm của từng người quan sát", "Severity of each observer"},
	"trust.observers.note": {"Số dương: chấm rộng hơn mức thường gặp của loại hình; đã co về 0 khi ít phiếu. Chỉ là dấu hiệu để trao đổi, không phải đánh giá con người.",
		"Above zero: more generous than is usual for the types visited; few ratings pull it to zero. A reason to talk, not a judgement of a person."},
	"severity_raw": {"Lệch gốc", "Raw difference"}, "severity": {"Lệch đã co", "Shrunk"}, "se": {"Sai số chuẩn", "Standard error"}, "drift": {"Thay đổi trong 30 ngày", "Change in 30 days"},
	"notable": {"đáng chú ý", "notable"}, "status": {"Tình trạng", "Status"},

	// the short report
	"word.coverage": {"Phạm vi và tiến độ", "Coverage"},
	"word.coverage.text": {"Thuộc phạm vi {in_scope} đơn vị, đã phân công {assigned}, đã dự {observed} ({coverage}). Có điểm {n} lượt; điểm trung bình {mean}, trung vị {median}.",
		"{in_scope} units are in scope, {assigned} are assigned, {observed} were observed ({coverage}). {n} visits are graded; their mean is {mean}, the median {median}."},
	"word.interval": {"Khoảng tin cậy 95 % của điểm trung bình: {low} đến {high}, có tính đến việc mỗi người quan sát chấm nhiều nơi.", "The mean's 95 % interval is {low} to {high}; it allows for observers who rated several units."},
	"word.bands":    {"Xếp loại theo loại hình", "Bands by organisation type"}, "word.table": {"Bảng", "Table"}, "word.page": {"Trang", "Page"},
	"word.weakest": {"Các tiêu chí đạt thấp nhất", "The weakest criteria"}, "word.strongest": {"Các tiêu chí đạt cao nhất", "The strongest criteria"},
	"word.rest": {"Còn {number} dòng trong sổ Excel.", "{number} further lines are in the workbook."},
	"word.self": {"Ở {pairs} đơn vị vừa tự chấm vừa được quan sát, điểm tự chấm trừ điểm quan sát bình quân {difference} điểm (khoảng tin cậy 95 %: {low} đến {high}).",
		"In {pairs} units that rated themselves and were observed, the self score less the observed one is {difference} points on average (95 % interval {low} to {high})."},
	"word.trust": {"Trong {pairs} buổi có hai người quan sát chấm độc lập, {exact} trùng xếp loại; {within} trên {doubled} buổi lệch không quá 10 điểm.",
		"Of {pairs} meetings that two observers rated independently, {exact} got the same band; in {within} of {doubled} the scores were at most ten points apart."},
	"word.good": {"Cách làm hay", "Good practice"}, "word.bad": {"Hạn chế và nguyên nhân", "Shortcomings and causes"}, "word.advice": {"Kiến nghị", "Recommendations"},
	"word.quotes": {"Trích một số ghi nhận của người quan sát; đầy đủ trong sổ Excel.", "Some of what observers noted; all of it is in the workbook."},
	"word.signed": {"(Ký, ghi rõ họ tên)", "(Signature and name)"},

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
