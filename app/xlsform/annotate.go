package xlsform

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
	"github.com/xuri/excelize/v2"
)

const (
	// maxAnnotated is how many cells get a comment; the rest are counted in the
	// first one, for each comment costs more than the one before.
	maxAnnotated = 500
	// maxInComment is how many problems one comment lists.
	maxInComment = 10
)

// Words says things to people, in a language that the caller has chosen.
type Words struct {
	// Problem gives the sentence for a problem, without its place.
	Problem func(survey.Problem) string
	// Place gives a place: "sheet survey, row 12".
	Place func(survey.Place) string
}

// more tells that there are problems beyond those that are listed.
func (w Words) more(count int) string {
	return w.Problem(survey.Problem{Severity: survey.SeverityAdvice, Code: "workbook.more_problems", Args: survey.Args{"count": strconv.Itoa(count)}})
}

// Annotate gives a copy of the workbook in which each faulty cell has a comment
// with what is wrong. A problem whose cell does not exist is told in the nearest
// one that does: of its row, of its sheet, of the survey. A comment that is
// there already stays below. The errors are those of Read.
func Annotate(workbook []byte, ps survey.Problems, words Words) (out []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			out, err = nil, unreadable(fmt.Errorf("panic: %v", cause))
		}
	}()
	f, err := openWorkbook(workbook)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a := &annotator{file: f, words: words, grids: map[string]*grid{}, found: matchSheets(f.GetSheetList(), sheetSpecs()),
		notes: map[cellPlace]*note{}}
	for _, p := range ps {
		if err := a.add(p); err != nil {
			return nil, err
		}
	}
	if err := a.write(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// cellPlace is a cell by the actual name of its sheet.
type cellPlace struct{ sheet, cell string }

// note is what is to be said about a cell.
type note struct {
	lines []string
	left  int // problems beyond maxInComment
}

type annotator struct {
	file  *book
	words Words
	found map[string]string // actual sheet names by canonical ones
	grids map[string]*grid  // by actual name
	order []cellPlace
	notes map[cellPlace]*note
	left  int // problems beyond maxAnnotated
}

func (a *annotator) add(p survey.Problem) error {
	at, exact, err := a.locate(p)
	if err != nil {
		return err
	}
	n := a.notes[at]
	if n == nil {
		if len(a.order) == maxAnnotated {
			a.left++
			return nil
		}
		n = &note{}
		a.notes[at] = n
		a.order = append(a.order, at)
	}
	if len(n.lines) == maxInComment {
		n.left++
		return nil
	}
	line := a.words.Problem(p)
	if !exact {
		line = strings.TrimPrefix(a.words.Place(p.Place)+": "+line, ": ")
	}
	n.lines = append(n.lines, line)
	return nil
}

// locate finds the cell of a problem; exact is false if it had to be another.
func (a *annotator) locate(p survey.Problem) (at cellPlace, exact bool, err error) {
	sheet, exact := a.sheet(p.Place.Sheet)
	g, err := a.grid(sheet)
	if err != nil {
		return cellPlace{}, false, err
	}
	row := p.Place.Row
	if row < 1 || !exact {
		row = g.headerRow
	}
	index := 0
	if exact && p.Place.Column != "" {
		index = g.find(p.Place.Column, p.Args["language"])
	}
	if index < 0 {
		index, exact = 0, false
	}
	return cellPlace{sheet, columnLetter(index) + strconv.Itoa(min(row, excelize.TotalRows))}, exact, nil
}

// sheet gives the actual name of a sheet; without one, that of the survey.
func (a *annotator) sheet(name string) (actual string, exact bool) {
	if actual := a.found[strings.ToLower(name)]; actual != "" {
		return actual, true
	}
	sheets := a.file.GetSheetList()
	if slices.Contains(sheets, name) {
		return name, true
	}
	if actual := a.found[surveySheet]; actual != "" {
		return actual, false
	}
	// A workbook with one sheet is a survey, whatever its name.
	return sheets[0], len(sheets) == 1 && name == surveySheet
}

// grid reads a sheet for its header.
func (a *annotator) grid(actual string) (*grid, error) {
	if g := a.grids[actual]; g != nil {
		return g, nil
	}
	spec := sheetSpec{name: surveySheet}
	for _, s := range sheetSpecs() {
		if a.found[s.name] == actual {
			spec = s
		}
	}
	rows, err := a.file.rows(actual)
	if err != nil {
		return nil, err
	}
	a.grids[actual] = newGrid(spec, rows)
	return a.grids[actual], nil
}

// find gives the index of a column by the header as its author wrote it, by its
// canonical name (in the language, if it has several) or by its letter; -1 if
// there is none.
func (g *grid) find(name, language string) int {
	for i := range g.columns {
		if g.columns[i].header == name {
			return g.columns[i].index
		}
	}
	canonical, _ := splitHeader(g.spec.name, name)
	best := -1
	for _, i := range g.byName[canonical] {
		c := &g.columns[i]
		if best < 0 || language != "" && parseLanguage(c.language).tag == language {
			best = c.index
		}
	}
	if best < 0 && name == strings.ToUpper(name) && len(name) <= 2 { // headers are written small
		if n, err := excelize.ColumnNameToNumber(name); err == nil {
			best = n - 1
		}
	}
	return best
}

func (a *annotator) write() error {
	if a.left > 0 {
		first := a.notes[a.order[0]]
		first.lines = append(first.lines, a.words.more(a.left))
	}
	old, err := a.comments()
	if err != nil {
		return err
	}
	for _, at := range a.order {
		n := a.notes[at]
		if n.left > 0 {
			n.lines = append(n.lines, a.words.more(n.left))
		}
		if was, there := old[at]; there {
			if err := a.file.DeleteComment(at.sheet, at.cell); err != nil {
				return err
			}
			n.lines = append(n.lines, was)
		}
		if err := a.comment(at, n); err != nil {
			return err
		}
	}
	return nil
}

// comments gives the comments that are there already, by cell.
func (a *annotator) comments() (map[cellPlace]string, error) {
	out := map[cellPlace]string{}
	for sheet := range a.grids {
		comments, err := a.file.GetComments(sheet)
		if err != nil {
			return nil, err
		}
		for _, c := range comments {
			text := c.Text
			if text == "" {
				for _, run := range c.Paragraph {
					text += run.Text
				}
			}
			out[cellPlace{sheet, c.Cell}] = text
		}
	}
	return out, nil
}

func (a *annotator) comment(at cellPlace, n *note) error {
	const width, lineHeight, perLine = 320, 18, 45
	text := strings.Join(n.lines, "\n\n")
	lines := 2
	for _, line := range strings.Split(text, "\n") {
		lines += 1 + len([]rune(line))/perLine
	}
	return a.file.AddComment(at.sheet, excelize.Comment{Cell: at.cell, Author: "khaosat", Width: width,
		Height: uint(min(lines, 30) * lineHeight), Paragraph: []excelize.RichTextRun{{Text: text}}})
}
