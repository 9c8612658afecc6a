// Package survey is the subject itself: templates, units, rounds, responses
// and the contract of the place that keeps them. It knows nothing of HTTP,
// databases, workbooks or the screen.
//
// The words, with what people in the field say in Vietnamese:
//
//	unit         đơn vị, tổ chức     a node of the organisation tree
//	chapter      chi bộ              a unit of a structure that is assessed
//	structure    cơ cấu              how a unit is attached (chi bộ cơ sở, ...)
//	sector       loại hình           organisation type of the host body
//	setting      nơi sinh hoạt       where the unit meets
//	template     mẫu phiếu           a form with its scoring scheme
//	version      phiên bản           a template frozen by publication
//	section      phần                a group of items with points of its own
//	item         mục, tiêu chí       one line of a form
//	round        đợt khảo sát        a campaign: templates, scope, dates
//	assignment   phân công           one observer, one unit, one round, one role
//	role         vai chấm            observer, second, self, members, superior, adjudicator
//	response     phiếu               one filled-in form, with a UUID made by the client
//	answer       trả lời             what stands for one item in a response
//	band, cap    mức xếp loại, trần  a grade with a threshold; a rule that limits it
//
// Templates are immutable once published; whatever a respondent causes lives
// in the response. See the package scoring for how points are worked out.
package survey
