package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// Limits of what ODK clients send. The body may be far above the length that is
// announced: a single file that is larger is sent all the same.
const (
	odkMaxBody  = 240 << 20
	odkMaxParts = 1000
	// odkPatience is how long a client may be silent while it sends: Collect
	// itself gives up after a minute.
	odkPatience = 90 * time.Second
	// odkSending is how long a client may take to send everything.
	odkSending = time.Hour
)

// odkSubmit takes in a filled-in form with those of its files that come along.
func (s *Server) odkSubmit(k *odkCall) error {
	// The time that sending takes is the client's own; ours begins after it.
	sending, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), odkSending)
	defer cancel()
	in := &service.ODKSubmission{Client: k.Get(fiber.HeaderUserAgent)}
	if err := s.odkParts(sending, k, in); err != nil {
		if survey.KindOf(err) != survey.TooLarge {
			k.Context().SetConnectionClose() // what is left of it has no beginning
		}
		return err
	}
	storing, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), handlerTime)
	defer cancel()
	told, err := s.svc.ReceiveODK(storing, k.who, in)
	if err != nil {
		return err
	}
	return k.xml(fiber.StatusCreated, openrosa.Response(openrosa.Success, message.Say(k.who.Language, told.Code, told.Args)))
}

// odkParts reads the parts of a submission in whatever order; files go to the
// store while they are read.
func (s *Server) odkParts(ctx context.Context, k *odkCall, in *service.ODKSubmission) error {
	if int64(k.Request().Header.ContentLength()) > odkMaxBody {
		return odkTooLarge()
	}
	stream := k.Context().RequestBodyStream()
	if stream == nil {
		return odkInvalid("openrosa.no_xml", nil)
	}
	body := &patient{Reader: stream, left: odkMaxBody, conn: k.Context().Conn()}
	kind, params, err := mime.ParseMediaType(k.Get(fiber.HeaderContentType))
	if err == nil && (kind == "text/xml" || kind == "application/xml") { // without files
		in.XML, err = odkXML(body)
		return err
	}
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return odkInvalid("openrosa.no_xml", err)
	}
	parts := multipart.NewReader(body, params["boundary"])
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		if err == io.EOF { // and not errors.Is: one that was cut off is wrapped
			break
		}
		if err != nil {
			return odkBroken(err)
		}
		if n >= odkMaxParts {
			return odkTooLarge()
		}
		if err := s.odkPart(ctx, part, in); err != nil {
			return err
		}
	}
	if in.XML == nil {
		return odkInvalid("openrosa.no_xml", nil)
	}
	return nil
}

// odkPart takes one part: the form, a file, or something that nobody asked for.
func (s *Server) odkPart(ctx context.Context, part *multipart.Part, in *service.ODKSubmission) error {
	field, file := odkNames(part)
	switch {
	case field == "xml_submission_file" && in.XML == nil:
		b, err := odkXML(part)
		in.XML = b
		return err
	case field == "xml_submission_file" || file == "":
		if _, err := io.Copy(io.Discard, part); err != nil {
			return odkBroken(err)
		}
		return nil
	}
	hash, size, err := s.svc.KeepContent(ctx, part)
	switch {
	case err == nil:
		in.Files = append(in.Files, &survey.Attachment{Name: file, SHA256: hash, Size: size, Type: odkType(part)})
		return nil
	case survey.KindOf(err) == survey.Internal && ctx.Err() == nil:
		return odkBroken(err)
	}
	return err
}

// odkNames gives a part's field and its file's name, without a folder. Names are
// raw UTF-8, which the standard library's reader of headers keeps.
func odkNames(part *multipart.Part) (field, file string) {
	field, file = part.FormName(), part.FileName()
	if file == "." || file == "/" {
		file = ""
	}
	if file == "" && part.Header.Get("Content-Type") != "" && !strings.HasPrefix(field, "*") {
		file = field // some clients name the field only
	}
	return field, strings.ToValidUTF8(file, "\uFFFD")
}

func odkType(part *multipart.Part) string {
	t := part.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(t); err == nil && len(kind) <= 100 {
		return kind
	}
	return "application/octet-stream"
}

// odkXML reads the form itself.
func odkXML(r io.Reader) ([]byte, error) {
	b, err := readAtMost(r, openrosa.MaxXML)
	if errors.Is(err, errOverLimit) {
		return nil, odkTooLarge()
	}
	if err != nil {
		return nil, odkBroken(err)
	}
	if len(b) == 0 {
		return nil, odkInvalid("openrosa.empty", nil)
	}
	return b, nil
}

func odkInvalid(code string, err error) error {
	return &survey.Error{Kind: survey.Invalid, Code: code, Err: err}
}

func odkTooLarge() error {
	return &survey.Error{Kind: survey.TooLarge, Code: "openrosa.too_large", Args: survey.Args{"limit": fmt.Sprintf("%d MB", odkMaxBody>>20)}}
}

// odkBroken is the error for a body that could not be read to its end.
func odkBroken(err error) error {
	if survey.KindOf(err) == survey.TooLarge {
		return err
	}
	return odkInvalid("openrosa.broken", err)
}

// patient reads a body as long as something comes: a photo over a bad network
// may take many minutes.
type patient struct {
	io.Reader
	left int64
	conn net.Conn
	next time.Time // when to move the deadline
}

func (p *patient) Read(b []byte) (int, error) {
	if now := time.Now(); p.conn != nil && now.After(p.next) {
		if err := p.conn.SetReadDeadline(now.Add(odkPatience)); err != nil {
			return 0, err
		}
		p.next = now.Add(odkPatience / 3)
	}
	n, err := p.Reader.Read(b)
	if p.left -= int64(n); p.left < 0 {
		return 0, odkTooLarge()
	}
	return n, err
}
