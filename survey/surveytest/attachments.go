package surveytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/khaosat/khaosat/survey"
)

func testAttachments(t *testing.T, opener Opener) {
	t.Run("contents", func(t *testing.T) { testContents(t, opener) })
	t.Run("what goes with a response", func(t *testing.T) { testAttach(t, opener) })
	t.Run("forms keep their first bytes", func(t *testing.T) { testForms(t, opener) })
}

// meter counts how much of a reader was asked for at once, at most.
type meter struct {
	io.Reader
	most int
}

func (m *meter) Read(p []byte) (int, error) {
	m.most = max(m.most, len(p))
	return m.Reader.Read(p)
}

func testContents(t *testing.T, opener Opener) {
	open := opener(t)
	s := open()
	ctx := t.Context()
	for _, size := range []int{0, 1, 255 << 10, 255<<10 + 1, 1_000_000} {
		content := noise(size)
		in := &meter{Reader: bytes.NewReader(content)}
		hash, n, err := s.PutContent(ctx, in)
		Must(t, err)
		if hash != survey.HashRaw(content) || n != int64(size) || in.most > 1<<20 {
			t.Errorf("%d bytes: hash %s, length %d, %d read at once", size, hash, n, in.most)
		}
		again, _, err := s.PutContent(ctx, bytes.NewReader(content))
		Must(t, err)
		if again != hash {
			t.Errorf("the same content again has the hash %s, want %s", again, hash)
		}
		f, err := open().Content(ctx, hash) // another process sees it
		Must(t, err)
		got, err := io.ReadAll(f)
		Must(t, err)
		if !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back as %d others", size, len(got))
		}
		if from := int64(size / 2); size > 0 {
			at, err := f.Seek(-from, io.SeekEnd)
			Must(t, err)
			rest, err := io.ReadAll(f)
			Must(t, err)
			if at != int64(size)-from || !bytes.Equal(rest, content[at:]) {
				t.Errorf("from byte %d on, %d bytes came", at, len(rest))
			}
		}
		Must(t, f.Close())
	}
	for _, hash := range []string{"", "../../khaosat.db", strings.Repeat("ab", 32)} {
		_, err := s.Content(ctx, hash)
		WantError(t, err, survey.NotFound, "content.unknown")
	}
	t.Run("a reader's error is given as it is, and nothing is stored", func(t *testing.T) {
		for _, cut := range []error{io.ErrUnexpectedEOF, errors.New("cut off"), &survey.Error{Kind: survey.TooLarge, Code: "request.too_large"}} {
			part := noise(400_001)
			_, _, err := s.PutContent(ctx, io.MultiReader(bytes.NewReader(part), failing{cut}))
			if !errors.Is(err, cut) {
				t.Errorf("error is %v, want %v", err, cut)
			}
			_, err = s.Content(ctx, survey.HashRaw(part))
			WantError(t, err, survey.NotFound, "content.unknown")
		}
	})
	t.Run("the same content from many at once", func(t *testing.T) {
		content := append(noise(300_000), 'x')
		inParallel(t, 20, func(int) error {
			hash, _, err := s.PutContent(ctx, bytes.NewReader(content))
			if err == nil && hash != survey.HashRaw(content) {
				err = errors.New("another hash")
			}
			return err
		})
		f, err := s.Content(ctx, survey.HashRaw(content))
		Must(t, err)
		defer f.Close()
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back (%v)", len(got), err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func testAttach(t *testing.T, opener Opener) {
	open := opener(t)
	s := open()
	ctx := t.Context()
	id := Response(1).ID
	put := func(content string) string {
		hash, _, err := s.PutContent(ctx, strings.NewReader(content))
		Must(t, err)
		return hash
	}
	make := func(name, content string, minute int) *survey.Attachment {
		return &survey.Attachment{Response: id, Name: name, SHA256: put(content), Size: int64(len(content)), Type: "image/jpeg",
			At: Received.Add(time.Duration(minute) * time.Minute), By: "p"}
	}
	first, second, other := make("ảnh chụp 1.jpg", "one", 2), make("ảnh chụp 1.jpg", "two", 1), make("a.jpg", "one", 3)
	for _, a := range []*survey.Attachment{first, second, other} {
		Must(t, s.Attach(ctx, a))
	}
	late := *first
	late.At, late.Type = late.At.Add(time.Hour), "other"
	Must(t, s.Attach(ctx, &late)) // the same again changes nothing
	elsewhere := *other
	elsewhere.Response = Response(2).ID
	Must(t, s.Attach(ctx, &elsewhere))
	WantSame(t, Collect(t, open().Attachments(ctx, id)), []*survey.Attachment{other, second, first})
	if n := len(Collect(t, s.Attachments(ctx, Response(3).ID))); n != 0 {
		t.Errorf("a response without attachments has %d", n)
	}
	inParallel(t, 20, func(int) error { a := *first; a.Response = Response(4).ID; return s.Attach(ctx, &a) })
	if n := len(Collect(t, s.Attachments(ctx, Response(4).ID))); n != 1 {
		t.Errorf("the same attachment 20 times at once is there %d times", n)
	}
}

func testForms(t *testing.T, opener Opener) {
	open := opener(t)
	s := open()
	ctx := t.Context()
	_, err := s.Form(ctx, TemplateCode, 1)
	WantError(t, err, survey.NotFound, "form.unknown")
	kept := make([]string, 10)
	inParallel(t, len(kept), func(i int) error {
		got, err := s.KeepForm(ctx, TemplateCode, 1, []byte{'<', byte(i)})
		kept[i] = string(got)
		return err
	})
	for _, k := range kept {
		if k != kept[0] || len(k) != 2 {
			t.Errorf("forms of one version differ: %q", kept)
			break
		}
	}
	second, err := s.KeepForm(ctx, TemplateCode, 2, []byte("<2/>"))
	Must(t, err)
	again, err := open().KeepForm(ctx, TemplateCode, 2, []byte("<other/>"))
	Must(t, err)
	got, err := open().Form(context.WithoutCancel(ctx), TemplateCode, 2)
	Must(t, err)
	if string(second) != "<2/>" || string(again) != "<2/>" || string(got) != "<2/>" {
		t.Errorf("%q, %q and %q, want the first bytes each time", second, again, got)
	}
}
