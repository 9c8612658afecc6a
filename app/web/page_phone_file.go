package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"github.com/khaosat/khaosat/app/service"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// A phone writes its drafts and what waits to be sent to a file (phone.js), for
// another phone or, when there is none, for an admin: what was finished is then
// handed in on behalf of its observer, byte for byte as the phone would have.

// maxPhoneFile is the largest file of a phone in bytes, photos included.
const maxPhoneFile = 40 << 20

// phoneFile is such a file.
type phoneFile struct {
	Khaosat string          `json:"khaosat"` // "phone"
	Person  survey.PersonID `json:"person"`
	Drafts  []struct {
		ID       string `json:"id"`
		Name     string `json:"name"` // of the unit
		Template string `json:"template"`
		Revision int64  `json:"revision"`
		Body     string `json:"body"` // "" for what is not finished
	} `json:"drafts"`
	Photos []struct {
		Draft string `json:"draft"`
		Name  string `json:"name"`
		Data  string `json:"data"` // base64
	} `json:"photos"`
}

// phoneFilePage is what people-phone-file.html draws.
type phoneFilePage struct {
	mistakes
	Person string // whose file it is; "" as long as none was read
	Lines  []phoneFileLine
}

// phoneFileLine says what became of a form of the file.
type phoneFileLine struct {
	Unit, Template, Said string
	Wrong                bool
}

func (s *Server) pagePhoneFile(q *request) error { return s.showPhoneFile(q, 200, phoneFilePage{}) }

func (s *Server) showPhoneFile(q *request, status int, data phoneFilePage) error {
	return s.show(q.Ctx, status, "people-phone-file", q.page(q.say("accounts.phone_file"), data))
}

// pageReadPhoneFile hands in what is finished in a phone's file. The same file
// again changes nothing.
func (s *Server) pageReadPhoneFile(q *request) error {
	b, _, _, err := q.upload("file", maxPhoneFile)
	var file phoneFile
	if err == nil && (json.Unmarshal(b, &file) != nil || file.Khaosat != "phone") {
		err = &survey.Error{Kind: survey.Invalid, Code: "phone.import_wrong"}
	}
	var who *survey.Person
	if err == nil {
		who, err = s.svc.PhoneOwner(q.ctx, q.caller, file.Person)
	}
	if err != nil {
		m, status, err := q.mistaken(err)
		if err != nil || status == fiber.StatusRequestEntityTooLarge {
			return firstError(err, tooLarge(maxPhoneFile))
		}
		return s.showPhoneFile(q, status, phoneFilePage{mistakes: m})
	}
	page := phoneFilePage{Person: fullName(who)}
	for _, d := range file.Drafts {
		line := phoneFileLine{Unit: d.Name, Template: d.Template}
		if d.Body == "" {
			line.Said, line.Wrong = q.say("accounts.phone_file_unfinished"), true
		} else if line.Said, err = s.handIn(q, who, d.ID, d.Revision, d.Body); err != nil {
			if survey.KindOf(err) == survey.Unavailable {
				return err
			}
			line.Said, line.Wrong = message.OfError(q.caller.Language, err), true
		}
		page.Lines = append(page.Lines, line)
	}
	for _, p := range file.Photos {
		if err := s.handInPhoto(q, p.Draft, p.Name, p.Data); err != nil {
			if survey.KindOf(err) == survey.Unavailable {
				return err
			}
			page.Lines = append(page.Lines, phoneFileLine{Unit: p.Name, Said: message.OfError(q.caller.Language, err), Wrong: true})
		}
	}
	return s.showPhoneFile(q, 200, page)
}

// handIn hands in one form and says what became of it.
func (s *Server) handIn(q *request, who *survey.Person, draft string, revision int64, body string) (string, error) {
	id, err := survey.ParseResponseID(draft)
	if err != nil {
		return "", err
	}
	var parsed submitBody
	if err := q.decode([]byte(body), &parsed); err != nil {
		return "", err
	}
	in, err := parsed.incoming(id, []byte(body), revision)
	if err != nil {
		return "", err
	}
	in.Observer = who.Name
	done, err := s.svc.Submit(q.ctx, q.caller, in)
	s.metrics.responses.WithLabelValues(string(in.Source), outcome(done, err)).Inc()
	if err != nil {
		return "", err
	}
	if done.Repeated {
		return q.say("accounts.phone_file_known"), nil
	}
	return message.Say(q.caller.Language, receiptWord(done), survey.Args{"unit": done.Response.Standing.Name, "reason": done.Response.PutAside()}), nil
}

func (s *Server) handInPhoto(q *request, draft, name, data string) error {
	id, err := survey.ParseResponseID(draft)
	if err != nil {
		return err
	}
	content, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return &survey.Error{Kind: survey.Invalid, Code: "phone.import_wrong", Err: err}
	}
	_, err = s.svc.PutAttachment(q.ctx, q.caller, id, name, "", bytes.NewReader(content))
	return err
}

// receiptWord names what became of a form for people.
func receiptWord(done *service.Accepted) string {
	switch {
	case done.Conflict:
		return "receipt.conflict"
	case done.Response.State == survey.StateRejected:
		return "receipt.rejected"
	case done.Response.State.Held():
		return "receipt.held"
	}
	return "receipt.received"
}
