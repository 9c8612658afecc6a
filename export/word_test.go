package export_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/export"
)

// TestWordIsWellFormed reads every part of the short report, in both languages.
func TestWordIsWellFormed(t *testing.T) {
	for _, lang := range []string{"vi", "en"} {
		var b, again bytes.Buffer
		for _, out := range []*bytes.Buffer{&b, &again} {
			if err := export.Word(out, report(t, lang)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Error("two documents of one report differ")
		}
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		texts, charts := "", 0
		for _, f := range z.File {
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			d := xml.NewDecoder(in)
			for {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", f.Name, err)
				}
				if text, ok := token.(xml.CharData); ok && f.Name == "word/document.xml" {
					texts += string(text) + "\n"
				}
			}
			if strings.HasPrefix(f.Name, "word/charts/") {
				charts++
			}
		}
		if charts != 2 {
			t.Errorf("%d charts", charts)
		}
		for _, want := range map[string][]string{"vi": {"Bảng 1. ", "3 (50,0\u00a0%)", "Tổng hợp theo cơ cấu tổ chức"}, "en": {"Table 1. ", "3 (50.0\u00a0%)", "Summary by structure"}}[lang] {
			if !strings.Contains(texts, want) {
				t.Errorf("%s: no %q in\n%s", lang, want, texts)
			}
		}
	}
}
