package web

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// odkPath begins the addresses of ODK clients; the token follows, or nothing for
// clients that send name and password.
const odkPath = "/openrosa"

// odkCall is a request of an ODK client.
type odkCall struct {
	*request
	who *service.OpenRosaCaller
	// base is the client's server address, to which it adds "/formList".
	base string
}

// odk is in front of the addresses of ODK clients. They understand other
// refusals than browsers do: a message in XML, and never 401 unless they are
// to ask for a password.
func (s *Server) odk(do func(*odkCall) error) func(*request) error {
	return func(q *request) error {
		q.Set("X-OpenRosa-Version", openrosa.Version)
		q.Set("X-OpenRosa-Accept-Content-Length", strconv.Itoa(openrosa.AcceptLength))
		q.Set(fiber.HeaderCacheControl, "private, no-cache")
		k := &odkCall{request: q}
		err := k.identify()
		if err == nil {
			q.caller = k.who.Caller
			q.Set(fiber.HeaderContentLanguage, k.who.Language)
			err = do(k)
		}
		if err != nil {
			return k.refuse(err)
		}
		return nil
	}
}

// identify finds out for whom the client asks.
func (k *odkCall) identify() (err error) {
	svc := k.server.svc
	k.base = k.away() + odkPath
	if token := k.Params("token"); token != "" {
		k.base += "/" + url.PathEscape(token)
		k.who, err = svc.OpenRosaCaller(k.ctx, token)
		return err
	}
	name, secret, ok := basicAuth(k.Get(fiber.HeaderAuthorization))
	if !ok {
		return &survey.Error{Kind: survey.Unauthenticated, Code: "openrosa.password"}
	}
	k.who, err = svc.OpenRosaCallerByName(k.ctx, name, secret)
	return err
}

func basicAuth(h string) (name, password string, ok bool) {
	encoded, ok := strings.CutPrefix(h, "Basic ")
	if !ok {
		return "", "", false
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(b), ":")
}

// refuse answers with a message that the client shows.
func (k *odkCall) refuse(err error) error {
	err = known(err)
	status, _ := statusFor(err)
	lang := k.server.language(k.Ctx)
	if k.who != nil {
		lang = k.who.Language
	}
	switch status {
	case 401:
		k.Set(fiber.HeaderWWWAuthenticate, `Basic realm="khaosat", charset="UTF-8"`)
	case 422:
		status = 400
	case 500, 503:
		id, _ := k.Locals(keyRequestID).(string)
		k.server.log.Error("an ODK client was not served", "id", id, "error", err)
		k.Set(fiber.HeaderRetryAfter, "30")
	}
	k.Set(fiber.HeaderContentLanguage, lang)
	return k.xml(status, openrosa.Response(openrosa.Failure, message.OfError(lang, err)))
}

func (k *odkCall) xml(status int, b []byte) error {
	k.Set(fiber.HeaderContentType, openrosa.ContentType)
	return k.Status(status).Send(b)
}

// file answers with bytes that the client may have already.
func (k *odkCall) file(contentType, hash string, b []byte) error {
	tag := `"` + strings.TrimPrefix(hash, "md5:") + `"`
	k.Set(fiber.HeaderETag, tag)
	for _, have := range strings.Split(k.Get(fiber.HeaderIfNoneMatch), ",") {
		if strings.TrimPrefix(strings.TrimSpace(have), "W/") == tag {
			return k.SendStatus(fiber.StatusNotModified)
		}
	}
	k.Set(fiber.HeaderContentType, contentType)
	return k.Status(200).Send(b)
}

// odkFormList lists the forms of the observer's own visits.
func (s *Server) odkFormList(k *odkCall) error {
	forms, err := s.svc.ODKForms(k.ctx, k.who, strings.EqualFold(k.Query("listAllVersions"), "true"))
	if err != nil {
		return err
	}
	list := make([]openrosa.ListedForm, 0, len(forms))
	for _, f := range forms {
		if only := k.Query("formID"); only != "" && only != string(f.Code) {
			continue
		}
		at := fmt.Sprintf("%s/forms/%s/%d", k.base, url.PathEscape(string(f.Code)), f.Version)
		list = append(list, openrosa.ListedForm{ID: string(f.Code), Name: f.Title.In(k.who.Language), Version: strconv.Itoa(f.Version),
			Hash: f.Hash, Download: at + "/form.xml", Manifest: at + "/manifest"})
	}
	return k.xml(200, openrosa.FormList(list))
}

func (k *odkCall) form() (survey.TemplateCode, int, error) {
	version, err := strconv.Atoi(k.Params("version"))
	if err != nil {
		return "", 0, &survey.Error{Kind: survey.NotFound, Code: "form.unknown"}
	}
	return survey.TemplateCode(k.Params("code")), version, nil
}

// odkForm gives the form's bytes.
func (s *Server) odkForm(k *odkCall) error {
	code, version, err := k.form()
	if err != nil {
		return err
	}
	if k.who.DepositOnly {
		return &survey.Error{Kind: survey.Forbidden, Code: "openrosa.token"}
	}
	f, err := s.svc.ODKForm(k.ctx, code, version)
	if isUnknown(err) {
		err = &survey.Error{Kind: survey.NotFound, Code: "form.unknown"}
	}
	if err != nil {
		return err
	}
	return k.file(openrosa.ContentType, f.Hash, f.Bytes)
}

func isUnknown(err error) bool { return survey.KindOf(err) == survey.NotFound }

func (k *odkCall) role(r survey.Role) string {
	return message.Say(k.who.Language, "role."+string(r), nil)
}

// odkManifest lists the form's files: the observer's own visits.
func (s *Server) odkManifest(k *odkCall) error {
	code, version, err := k.form()
	if err != nil {
		return err
	}
	b, err := s.svc.ODKVisits(k.ctx, k.who, code, version, k.role)
	if err != nil {
		return err
	}
	at := fmt.Sprintf("%s/forms/%s/%d/%s", k.base, url.PathEscape(string(code)), version, openrosa.VisitsFile)
	return k.xml(200, openrosa.Manifest([]openrosa.MediaFile{{Name: openrosa.VisitsFile, Hash: openrosa.Hash(b), Download: at}}))
}

// odkVisits gives the observer's own visits.
func (s *Server) odkVisits(k *odkCall) error {
	code, version, err := k.form()
	if err != nil {
		return err
	}
	b, err := s.svc.ODKVisits(k.ctx, k.who, code, version, k.role)
	if err != nil {
		return err
	}
	return k.file("text/csv; charset=utf-8", openrosa.Hash(b), b)
}

// odkBefore answers the question that clients ask before they send: exactly 204.
func (s *Server) odkBefore(k *odkCall) error { return k.SendStatus(fiber.StatusNoContent) }
