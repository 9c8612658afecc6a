package export

import (
	"strconv"
	"strings"

	"github.com/khaosat/khaosat/survey"
)

// scriptR reads the files into R, choices as factors with their labels.
func (c *csvZip) scriptR() string {
	lang := c.details.w.report.Language
	read := `read.csv(file, fileEncoding = "UTF-8-BOM", check.names = FALSE,
  na.strings = c("", "[z]", "[b]", "[na]", "[no]"))`
	if c.format.Semicolon {
		read = strings.Replace(read, "read.csv(", "read.csv2(", 1)
	}
	var b strings.Builder
	b.WriteString("# Run in the folder of the unpacked files.\n# Missing values are NA here; the file itself tells [z] not asked, [b] left blank,\n# [na] not applicable and [no] not observed apart. Texts that a spreadsheet would\n# take for a formula begin with an apostrophe.\n")
	b.WriteString("read_khaosat <- function(file) " + read + "\n\nresponses <- read_khaosat(\"responses.csv\")\n")
	for _, f := range c.files {
		if name, ok := strings.CutSuffix(f.title, ".csv"); ok && c.repeats[name] != nil {
			b.WriteString("`" + name + "` <- read_khaosat(" + quoteR(f.title) + ")\n")
		}
	}
	b.WriteString("\n")
	for _, e := range Codebook(c.details.w.report.Template) {
		if e.Repeat != "" {
			continue
		}
		column := "responses[[" + quoteR(e.Column) + "]]"
		if len(e.Choices) > 0 && e.Kind != survey.KindSelectMultiple && c.details.w.report.Values != ValuesLabels {
			var codes, labels []string
			for _, choice := range e.Choices {
				codes, labels = append(codes, quoteR(choice.Name)), append(labels, quoteR(choice.Label.In(lang)))
			}
			b.WriteString(column + " <- factor(" + column + ",\n  levels = c(" + strings.Join(codes, ", ") + "),\n  labels = make.unique(c(" + strings.Join(labels, ", ") + ")))\n")
		}
		if label := e.Label.In(lang); label != "" {
			b.WriteString("attr(" + column + ", \"label\") <- " + quoteR(label) + "\n")
		}
	}
	return b.String()
}

// quoteR writes a text as R reads it; what is not ASCII is escaped, so that the
// script means the same whatever the encoding it is read in.
func quoteR(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			b.WriteByte(' ')
		case r < 0x7f:
			b.WriteRune(r)
		default:
			b.WriteString(`\U{` + strconv.FormatInt(int64(r), 16) + `}`)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// scriptSPSS reads responses.csv into SPSS or PSPP with labels.
func (c *csvZip) scriptSPSS() string {
	lang := c.details.w.report.Language
	var b strings.Builder
	b.WriteString("\uFEFF* Encoding: UTF-8.\n* Run in the folder of the unpacked files. Missing answers are [z] not asked,\n* [b] left blank, [na] not applicable, [no] not observed; in numbers they are missing.\n")
	if c.format.Semicolon {
		b.WriteString("SET DECIMAL=COMMA.\n")
	}
	b.WriteString("GET DATA /TYPE=TXT /FILE='responses.csv' /ENCODING='UTF8' /ARRANGEMENT=DELIMITED\n /DELIMITERS='" + string(c.rows.separator) + "' /QUALIFIER='\"' /FIRSTCASE=2 /VARIABLES=\n")
	numeric := map[string]bool{"members": true, "template_version": true, "earned": true, "available": true, "total": true}
	kinds := map[string]survey.ItemKind{}
	book := Codebook(c.details.w.report.Template)
	for _, e := range book {
		kinds[e.Column] = e.Kind
	}
	names := spssNames(c.header)
	for i, column := range c.header {
		kind := kinds[column]
		switch {
		case numeric[column] || strings.HasSuffix(column, "_points") || kind == survey.KindInteger || kind == survey.KindDecimal:
			b.WriteString(" " + names[i] + " F18.6\n")
		case column == "deductions" || column == "path" || kind == survey.KindText:
			b.WriteString(" " + names[i] + " A2000\n")
		default:
			b.WriteString(" " + names[i] + " A200\n")
		}
	}
	b.WriteString(".\n")
	at := map[string]string{}
	for i, column := range c.header {
		at[column] = names[i]
	}
	for _, e := range book {
		name := at[e.Column]
		if name == "" || e.Repeat != "" {
			continue
		}
		if label := e.Label.In(lang); label != "" {
			b.WriteString("VARIABLE LABELS " + name + " " + quoteSPSS(label) + ".\n")
		}
		if len(e.Choices) == 0 || e.Kind == survey.KindSelectMultiple {
			continue
		}
		b.WriteString("VALUE LABELS " + name)
		for _, choice := range e.Choices {
			b.WriteString("\n " + quoteSPSS(choice.Name) + " " + quoteSPSS(choice.Label.In(lang)))
		}
		b.WriteString(".\n")
	}
	return b.String()
}

// spssNames makes of column names ones that SPSS takes: it begins them with a
// letter, has no more than 64 bytes and does not tell case apart.
func spssNames(columns []string) []string {
	out, taken := make([]string, len(columns)), map[string]bool{}
	for i, c := range columns {
		name := strings.Map(func(r rune) rune {
			if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return '_'
		}, c)
		if name == "" || name[0] == '_' || name[0] >= '0' && name[0] <= '9' {
			name = "v" + name
		}
		name = strings.TrimRight(name[:min(len(name), 60)], "_")
		for n, base := 2, name; taken[strings.ToLower(name)]; n++ {
			name = base + "_" + strconv.Itoa(n)
		}
		taken[strings.ToLower(name)] = true
		out[i] = name
	}
	return out
}

// quoteSPSS writes a text as SPSS reads it, of a label no more than it keeps.
func quoteSPSS(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 80 {
		s = string(r[:79]) + "…"
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
