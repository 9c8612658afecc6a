package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/khaosat/khaosat/"

// allowed says which of our packages each may import. What is not here may
// import none; sub-packages of survey that it uses itself stand under survey.
var allowed = map[string][]string{
	"survey/expr":       {},
	"survey":            {"survey/expr"},
	"survey/message":    {"survey"},
	"survey/surveytest": {"survey"},
	"scoring":           {"survey", "survey/expr"},
	"export":            {"survey", "scoring"},
	"fixtures":          {"survey"},
	"app/sqlite":        {"survey"},
	"app/mongo":         {"survey"},
	"app/xlsform":       {"survey", "survey/expr"},
	"app/sheets":        {"survey"},
	// The catalogue is where words are: what a report was narrowed down to is kept with it in words.
	"app/service":  {"app/sheets", "survey", "survey/message", "scoring", "export", "fixtures", "app/xlsform", "app/openrosa"},
	"app/web":      {"survey", "survey/message", "scoring", "app/service", "app/sheets", "app/xlsform", "app/openrosa"},
	"app/openrosa": {"survey", "survey/expr", "survey/message"},
}

// fences say which packages alone may import a library.
var fences = map[string][]string{
	"github.com/gofiber/fiber":    {"app/web"},
	"go.mongodb.org/mongo-driver": {"app/mongo", "app/mongo/mongotest"},
	// scripts/load measures us against bare loops over the same libraries.
	"modernc.org/sqlite":            {"app/sqlite", "scripts/load"},
	"github.com/xuri/excelize":      {"export", "app/xlsform", "app/sheets", "scripts/load"},
	"github.com/alecthomas/kong":    {"app"},
	"github.com/chromedp":           {"app/web/browsertest"},
	"github.com/nicksnyder/go-i18n": {"survey/message"},
}

// TestThePictureOfTheArchitectureIsTrue walks the import graph: arrows point
// one way, and each technology has one room.
func TestThePictureOfTheArchitectureIsTrue(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		seen++
		for _, imported := range p.Imports {
			checkArrow(t, name, imported)
			for library, rooms := range fences {
				if strings.HasPrefix(imported, library) && !slices.Contains(rooms, name) {
					t.Errorf("%s imports %s, which belongs to %v alone", name, imported, rooms)
				}
			}
		}
	}
	if seen < len(allowed) {
		t.Errorf("only %d packages were seen", seen)
	}
}

func checkArrow(t *testing.T, name, imported string) {
	ours, isOurs := strings.CutPrefix(imported, module)
	// The program and the scripts may use everything.
	if !isOurs || name == "app" || strings.HasPrefix(name, "scripts/") {
		return
	}
	if !slices.Contains(allowed[name], ours) {
		t.Errorf("%s imports %s; it may import %v of ours", name, ours, allowed[name])
	}
}
