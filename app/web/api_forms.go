package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/survey"
)

// apiForm gives a template version as data for a client that fills it in. A
// published version never changes, so a client that has it need not ask again.
func (s *Server) apiForm(q *request) error {
	scored, err := q.flag("scoring")
	if err != nil {
		return err
	}
	version, err := q.version()
	if err != nil {
		return err
	}
	form, final, err := s.svc.ClientForm(q.ctx, q.caller, survey.TemplateCode(q.Params("code")), version, scored)
	if err != nil {
		return err
	}
	b, err := json.Marshal(form)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	q.Set(fiber.HeaderETag, tag)
	q.Set(fiber.HeaderCacheControl, "private, no-cache")
	if final {
		q.Set(fiber.HeaderCacheControl, "private, max-age=31536000, immutable")
	}
	if q.Get(fiber.HeaderIfNoneMatch) == tag {
		return q.SendStatus(fiber.StatusNotModified)
	}
	q.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return q.Status(200).Send(b)
}

// version reads a template version from the address.
func (q *request) version() (int, error) {
	version, err := strconv.Atoi(q.Params("version"))
	if err != nil {
		return 0, parameter("version", q.Params("version"), survey.Args{"low": "1", "high": "…"}, "parameter.number")
	}
	return version, nil
}
