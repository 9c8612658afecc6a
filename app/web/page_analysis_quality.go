package web

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// qualityPage shows what is odd in a round.
type qualityPage struct {
	*service.Quality
	MayDismiss bool
	Open       int // flags that nobody set aside
}

func (s *Server) pageQuality(q *request) error {
	query, err := q.query()
	if err != nil {
		return err
	}
	found, err := s.svc.Quality(q.ctx, q.caller, survey.RoundCode(q.Params("round")), query)
	if err != nil {
		return err
	}
	data := qualityPage{Quality: found, MayDismiss: survey.May(q.caller.Person, survey.OpReview) != survey.Nothing}
	for _, f := range found.Flags {
		if f.Dismissed == nil {
			data.Open++
		}
	}
	return s.show(q.Ctx, 200, "quality", q.page(q.say("quality.title"), data))
}

// Explain says why a flag was raised.
func (d qualityPage) Explain(lang string, f service.Flag) string {
	return message.Say(lang, "quality.why."+f.Kind, f.Args)
}

// Reason is why a flag was set aside.
func (d qualityPage) Reason(f service.Flag) string { return f.Dismissed.Detail["reason"] }

// pageDismissFlag sets a flag aside.
func (s *Server) pageDismissFlag(q *request) error {
	form, err := q.form()
	if err != nil {
		return err
	}
	if err := s.svc.DismissFlag(q.ctx, q.caller, survey.ResponseID(form.Get("response")), form.Get("flag"), form.Get("reason")); err != nil {
		return err
	}
	address := "/rounds/" + url.PathEscape(q.Params("round")) + "/quality?" + url.Values{"template": {form.Get("template")}}.Encode()
	return q.Redirect(localPath(address), fiber.StatusSeeOther)
}
