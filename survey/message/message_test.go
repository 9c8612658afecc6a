package message_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/khaosat/khaosat/scoring"
	"github.com/khaosat/khaosat/survey"
	"github.com/khaosat/khaosat/survey/message"
)

// catalogue reads a language's files; an id stands in one of them only.
func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*." + lang + ".json")
	if err != nil || len(names) == 0 {
		t.Fatal("no catalogue", err)
	}
	out := map[string]string{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var part map[string]string
		if err := json.Unmarshal(b, &part); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for id, text := range part {
			if _, twice := out[id]; twice {
				t.Errorf("%s stands in %s and in another file", id, name)
			}
			out[id] = text
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)

func TestBothLanguagesSayTheSameThings(t *testing.T) {
	vi, en := catalogue(t, "vi"), catalogue(t, "en")
	for id := range en {
		if _, ok := vi[id]; !ok {
			t.Errorf("%s is in English only", id)
		}
	}
	for id, text := range vi {
		other, ok := en[id]
		if !ok {
			t.Errorf("%s is in Vietnamese only", id)
			continue
		}
		a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		a, b = slices.Compact(a), slices.Compact(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s is filled in differently: %v and %v", id, a, b)
		}
		for _, p := range a {
			if !regexp.MustCompile(`^\{\{\.[a-z_0-9]+\}\}$`).MatchString(p) {
				t.Errorf("%s has the odd placeholder %s", id, p)
			}
		}
		for _, s := range []string{text, other} {
			if strings.TrimSpace(s) != s || s == "" {
				t.Errorf("%s is blank or begins or ends with a space", id)
			}
		}
	}
}

// asked collects the ids that the program can ask for: all strings in the form
// of an id whose first word is that of an id in the catalogue, except the names
// of events, which only the trail shows. Workbooks have words of their own.
func asked(t *testing.T, families map[string]bool) map[string]string {
	t.Helper()
	out := map[string]string{}
	shape := regexp.MustCompile(`^[a-z]+(\.[a-z_0-9]+)+$`)
	take := func(literal, where string) {
		id, err := strconv.Unquote(literal)
		if err != nil || !shape.MatchString(id) {
			return
		}
		if family, _, _ := strings.Cut(id, "."); families[family] {
			out[id] = where
		}
	}
	inTemplates := regexp.MustCompile(`(?:\.Say|say \S+) ("[^"]+")`)
	walk := func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "surveytest") {
			return fs.SkipDir
		}
		switch {
		case strings.HasSuffix(path, ".html"):
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range inTemplates.FindAllSubmatch(b, -1) {
				take(string(m[1]), path)
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.ImportSpec:
					return false
				case *ast.CallExpr:
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "event" || f.Sel.Name == "closeAccount") {
						return false
					}
				case *ast.AssignStmt:
					for _, to := range n.Lhs {
						if name, ok := to.(*ast.Ident); ok && name.Name == "action" {
							return false
						}
					}
				case *ast.BinaryExpr:
					if of, ok := n.X.(*ast.SelectorExpr); ok && of.Sel.Name == "Action" {
						return false
					}
				case *ast.KeyValueExpr:
					if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Action" {
						return false
					}
				case *ast.BasicLit:
					if n.Kind == token.STRING {
						take(n.Value, set.Position(n.Pos()).String())
					}
				}
				return true
			})
		}
		return nil
	}
	for _, folder := range []string{"survey", "scoring", "app"} {
		if err := filepath.WalkDir(filepath.Join("..", "..", folder), walk); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestEveryIDInTheProgramHasATextInBothLanguages(t *testing.T) {
	families := map[string]bool{}
	for id := range catalogue(t, "vi") {
		family, _, _ := strings.Cut(id, ".")
		families[family] = true
	}
	ids := asked(t, families)
	if len(ids) < 200 {
		t.Fatalf("only %d ids were found in the program", len(ids))
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if strings.HasSuffix(id, "_") { // the beginning of several
			for _, lang := range message.Languages {
				if !slices.ContainsFunc(slices.Collect(maps.Keys(catalogue(t, lang))), func(known string) bool { return strings.HasPrefix(known, id) }) {
					t.Errorf("%s: nothing in %s begins with %q", ids[id], lang, id)
				}
			}
			continue
		}
		for _, lang := range message.Languages {
			if !message.Known(lang, id) {
				t.Errorf("%s: %q has no text in %s", ids[id], id, lang)
			}
		}
	}
}

func TestWhatIsPutTogetherHasATextInBothLanguages(t *testing.T) {
	var ids []string
	for kind := survey.Internal; kind <= survey.Unavailable; kind++ {
		ids = append(ids, "kind."+strings.ReplaceAll(kind.String(), " ", "_"))
	}
	for _, role := range survey.RatingRoles {
		ids = append(ids, "role."+string(role))
	}
	for _, by := range scoring.Groupings {
		ids = append(ids, "by."+string(by))
	}
	for state := survey.NotAsked; state <= survey.Answered; state++ {
		ids = append(ids, "state."+state.String())
	}
	for _, severity := range []survey.Severity{survey.SeverityError, survey.SeverityWarning, survey.SeverityAdvice} {
		ids = append(ids, "severity."+string(severity))
	}
	for _, id := range ids {
		for _, lang := range message.Languages {
			if !message.Known(lang, id) {
				t.Errorf("%q has no text in %s", id, lang)
			}
		}
	}
}

func TestAnErrorThatGivesNothingAwayIsStillASentence(t *testing.T) {
	secret := &survey.Error{Kind: survey.Internal, Code: "stale", Err: os.ErrPermission}
	for _, lang := range message.Languages {
		if s := message.OfError(lang, secret); s != message.Say(lang, "kind.internal", nil) {
			t.Errorf("%s: %s", lang, s)
		}
		if s := message.OfError(lang, &survey.Error{Kind: survey.NotFound, Code: "no.such_code"}); s != message.Say(lang, "kind.not_found", nil) {
			t.Errorf("%s: %s", lang, s)
		}
	}
}

func TestTheLanguageIsTheOneAskedForElseVietnamese(t *testing.T) {
	for header, want := range map[string]string{"": "vi", "en": "en", "en-GB,en;q=0.9": "en", "vi-VN,en;q=0.5": "vi", "fr": "vi", "fr;q=0.9,en;q=0.4": "en", "%%%": "vi"} {
		if got := message.Match(header); got != want {
			t.Errorf("%q gives %s, want %s", header, got, want)
		}
	}
}
