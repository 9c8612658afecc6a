package service

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/khaosat/khaosat/app/openrosa"
	"github.com/khaosat/khaosat/survey"
)

// ODKSubmission is one request of an ODK client with a filled-in form: the XML
// and those of its files that came with it, whose contents are stored already.
type ODKSubmission struct {
	XML    []byte
	Files  []*survey.Attachment // name, hash, size and type
	Client string               // what the client calls itself
}

// KeepContent stores a file that comes with a form, before it is known with
// which; see survey.AttachmentStore.
func (s *Service) KeepContent(ctx context.Context, content io.Reader) (sha256 string, size int64, err error) {
	return s.store.PutContent(ctx, content)
}

// odkSpace makes ids for what names itself by no UUID.
var odkSpace = uuid.MustParse("8f2b54f8-6f0e-4a5e-9d52-0d3a3f6d1c11")

func derivedID(parts ...string) survey.ResponseID {
	return survey.ResponseID(uuid.NewSHA1(odkSpace, []byte(strings.Join(parts, "\x00"))).String())
}

// ODKReceipt is what the observer is told: a message of the catalogue.
type ODKReceipt struct {
	Code string
	Args survey.Args
}

// ReceiveODK takes in a filled-in form from an ODK client and says what the
// observer is told. When it returns nil everything is durable. Nobody at the
// phone can mend anything, so that whatever is wrong with the form, it is held
// for review. The same again gives the same answer.
func (s *Service) ReceiveODK(ctx context.Context, who *OpenRosaCaller, in *ODKSubmission) (ODKReceipt, error) {
	if who.DepositOnly {
		if err := s.mayDeposit(ctx, who); err != nil {
			return ODKReceipt{}, err
		}
	}
	done, err := s.receiveODK(ctx, who, in)
	if err != nil {
		return ODKReceipt{}, err
	}
	for _, f := range in.Files {
		a := *f
		a.Response, a.At, a.By = done.Response.ID, s.Now(), who.id()
		if !survey.ValidFileName(a.Name) {
			a.Name = "file-" + a.SHA256[:12]
		}
		if err := s.store.Attach(ctx, &a); err != nil {
			return ODKReceipt{}, err
		}
	}
	return s.odkReceipt(ctx, who, done), nil
}

func (s *Service) receiveODK(ctx context.Context, who *OpenRosaCaller, in *ODKSubmission) (*Accepted, error) {
	hash := survey.HashRaw(in.XML)
	doc, err := openrosa.Open(in.XML)
	if err != nil {
		return s.holdODK(ctx, who, &Incoming{ID: derivedID(string(who.id()), hash), Raw: in.XML, Source: survey.SourceOpenRosa, Role: survey.RoleObserver}, err)
	}
	inc := &Incoming{Template: survey.TemplateCode(doc.FormID), Raw: in.XML, Source: survey.SourceOpenRosa, Role: survey.RoleObserver, FromDevice: true}
	var why error
	if inc.ID, err = survey.ParseResponseID(doc.InstanceID); err != nil {
		if doc.InstanceID == "" {
			inc.ID, why = derivedID(string(who.id()), hash), held("openrosa.no_instance", nil)
		} else {
			inc.ID = derivedID(string(who.id()), doc.InstanceID)
		}
	}
	if err := s.readODK(ctx, doc, inc, in); err != nil && why == nil {
		if !canBeHeld(err) {
			return nil, err
		}
		why = err
	}
	if doc.DeprecatedID != "" && why == nil {
		done, err := s.editedODK(ctx, who, doc, inc)
		if done != nil || err != nil {
			return done, err
		}
		why = held("openrosa.deprecated_unknown", survey.Args{"instance": doc.DeprecatedID})
	}
	if who.DepositOnly {
		why = held("openrosa.token_revoked", nil)
	}
	if why != nil {
		return s.holdODK(ctx, who, inc, why)
	}
	done, err := s.Submit(ctx, who.Caller, inc)
	return s.orHoldElsewhere(ctx, who, inc, done, err)
}

func held(code string, args survey.Args) error {
	return &survey.Error{Kind: survey.Invalid, Code: code, Args: args}
}

// readODK fills in what the form says about itself.
func (s *Service) readODK(ctx context.Context, doc *openrosa.Document, inc *Incoming, in *ODKSubmission) error {
	inc.Detail = survey.Args{"client": clipped(in.Client, 200)}
	if doc.Encrypted {
		return held("openrosa.encrypted", nil)
	}
	version, err := strconv.Atoi(strings.TrimSpace(doc.Version))
	if err != nil || version < 1 {
		return held("openrosa.version", survey.Args{"form": clipped(doc.FormID, 64), "version": clipped(doc.Version, 64)})
	}
	inc.Version = version
	if !survey.ValidCode(doc.FormID) {
		inc.Template = ""
		return held("openrosa.form", survey.Args{"form": clipped(doc.FormID, 64)})
	}
	compiled, err := s.Form(ctx, inc.Template, version)
	if isNotFound(err) {
		return held("openrosa.version", survey.Args{"form": doc.FormID, "version": doc.Version})
	}
	if err != nil {
		return err
	}
	r := s.reader(compiled)
	sub := r.Read(doc)
	inc.Answers, inc.StartedAt, inc.EndedAt = sub.Answers, sub.StartedAt, sub.EndedAt
	if sub.Device != "" {
		inc.Detail["device"] = clipped(sub.Device, 100)
	}
	if len(sub.Unknown) > 0 {
		inc.Detail["unknown"] = clipped(strings.Join(sub.Unknown, " "), 1000)
	}
	inc.Compare = func(kept survey.Answers) survey.Problems { return r.Differences(sub.Calculated, kept) }
	var ok bool
	if inc.Round, inc.Unit, inc.Role, ok = parseVisitName(sub.Visit); !ok {
		inc.Role = survey.RoleObserver
		return held("openrosa.no_visit", survey.Args{"visit": clipped(sub.Visit, 100)})
	}
	return nil
}

func clipped(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// editedODK takes in a form that replaces an earlier instance: as the next
// content of the same response. Nil without an error when there is no such
// instance.
func (s *Service) editedODK(ctx context.Context, who *OpenRosaCaller, doc *openrosa.Document, inc *Incoming) (*Accepted, error) {
	stored, err := s.instanceODK(ctx, doc.DeprecatedID, inc)
	if stored == nil || err != nil {
		return nil, err
	}
	if stored.Observer != who.id() && stored.ReceivedBy != who.id() {
		return nil, nil
	}
	inc.ID = stored.ID
	hash := survey.HashRaw(inc.Raw)
	same := func(k survey.Submission) bool { return k.SHA256 == hash }
	if stored.SHA256 == hash || slices.ContainsFunc(stored.Earlier, same) {
		return &Accepted{Response: stored, Repeated: true}, nil
	}
	if !who.DepositOnly && instanceOf(stored.Raw) == doc.DeprecatedID {
		inc.Replaces = stored.Rev
	}
	// One that replaces what was replaced already is kept beside it, as other
	// content under the same id is.
	if who.DepositOnly {
		return s.holdODK(ctx, who, inc, held("openrosa.token_revoked", nil))
	}
	done, err := s.Submit(ctx, who.Caller, inc)
	return s.orHoldElsewhere(ctx, who, inc, done, err)
}

// instanceODK finds the response of which an instance is or was the content:
// under its own id or, once edited, among those about the same unit.
func (s *Service) instanceODK(ctx context.Context, instance string, inc *Incoming) (*survey.Response, error) {
	if id, err := survey.ParseResponseID(instance); err == nil {
		r, err := s.store.Response(ctx, id)
		if !isNotFound(err) {
			return r, err
		}
	}
	if inc.Unit == "" {
		return nil, nil
	}
	for change, err := range s.store.ResponsesSince(ctx, survey.ResponseFilter{Round: inc.Round, Template: inc.Template, Unit: inc.Unit, Role: inc.Role}, "") {
		if err != nil {
			return nil, err
		}
		r := change.Doc
		if r.Source != survey.SourceOpenRosa {
			continue
		}
		if instanceOf(r.Raw) == instance || slices.ContainsFunc(r.Earlier, func(e survey.Submission) bool { return instanceOf(e.Raw) == instance }) {
			return r, nil
		}
	}
	return nil, nil
}

func instanceOf(raw []byte) string {
	doc, err := openrosa.Open(raw)
	if err != nil {
		return ""
	}
	return doc.InstanceID
}

// holdODK keeps a form for review.
func (s *Service) holdODK(ctx context.Context, who *OpenRosaCaller, inc *Incoming, why error) (*Accepted, error) {
	done, err := s.quarantine(ctx, who.Caller, inc, why)
	return s.orHoldElsewhere(ctx, who, inc, done, err)
}

// orHoldElsewhere keeps a form for which there is no room under its own id under
// another, made of its content: the id is somebody else's, or so many contents
// came under it that no more fit. No phone may be left with a form that nobody
// takes.
func (s *Service) orHoldElsewhere(ctx context.Context, who *OpenRosaCaller, inc *Incoming, done *Accepted, err error) (*Accepted, error) {
	if err == nil || !canBeHeld(err) && survey.KindOf(err) != survey.TooLarge {
		return done, err
	}
	own := *inc
	own.ID, own.Replaces = derivedID(string(who.id()), string(inc.ID), survey.HashRaw(inc.Raw)), 0
	if survey.KindOf(err) == survey.TooLarge {
		own.Answers = nil // they are in the raw bytes
	}
	return s.quarantine(ctx, who.Caller, &own, err)
}

func (s *Service) odkReceipt(ctx context.Context, who *OpenRosaCaller, done *Accepted) ODKReceipt {
	switch {
	case done.Conflict:
		return ODKReceipt{Code: "openrosa.conflict"}
	case done.Response.State.Held():
		return ODKReceipt{Code: "openrosa.held"}
	}
	all, in, err := s.progressODK(ctx, who, done.Response)
	if err != nil || all == 0 { // it is in; how many others are is a courtesy
		return ODKReceipt{Code: "openrosa.received"}
	}
	return ODKReceipt{"openrosa.received_of", survey.Args{"in": strconv.Itoa(in), "all": strconv.Itoa(all)}}
}

// progressODK counts the observer's visits in the round, and those that are in.
func (s *Service) progressODK(ctx context.Context, who *OpenRosaCaller, r *survey.Response) (all, in int, err error) {
	visits, err := s.odkVisits(ctx, who)
	for i := range visits {
		v := &visits[i]
		if v.Round != r.Round {
			continue
		}
		all++
		if v.settled() || v.VisitKey == r.VisitKey {
			in++
		}
	}
	return all, in, err
}
