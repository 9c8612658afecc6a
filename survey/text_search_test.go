package survey_test

import (
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/khaosat/khaosat/survey"
)

func TestSearchFindsWhateverTheAccents(t *testing.T) {
	const name, code = "Chi bộ Trường Tiểu học Lê Lợi, Đảng bộ Quận 3", "Q03-P04-C011"
	for q, want := range map[string]bool{
		"": true, " \t": true, "le loi": true, "loi  LÊ": true, "TRƯỜNG q03": true, "dang bo": true, "le loi q04": false, "trươngx": false,
	} {
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			if got := survey.NewSearch(form.String(q)).Finds(form.String(name), code); got != want {
				t.Errorf("%q finds it: %v, want %v", q, got, want)
			}
		}
	}
}
